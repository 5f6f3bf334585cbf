#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints a release's column of src/pyabi/layout_offsets.def, measured from its headers.

  tools/gen_layout.py INCLUDE_DIR...            each field and its offset
  tools/gen_layout.py --check INCLUDE_DIR...    compare with the file; exit status 1 if they differ
  tools/gen_layout.py --def INCLUDE_DIR         the file with this column added (to be reviewed)

INCLUDE_DIR holds Python.h (".../include/python3.16"). For each field a small C program is compiled
with offsetof() for every place the field has had in some release; the first that compiles counts.
--free-threaded compiles with Py_GIL_DISABLED, which a free-threaded build's own headers have set.
What has no place in the headers (the order of what 3.13 and newer say of themselves is one) is
printed as "?" and has to be looked up.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEF = ROOT / "src" / "pyabi" / "layout_offsets.def"
COLUMNS = "2.7 3.6 3.7 3.8 3.9 3.10 3.11 3.12 3.13 3.13t 3.14 3.14t 3.15 3.15t".split()

PRELUDE = """
#define PY_SSIZE_T_CLEAN
%(defines)s
#include <Python.h>
#include <frameobject.h>
#include <structmember.h>
#if PY_VERSION_HEX >= 0x03070000
# ifndef Py_BUILD_CORE
#  define Py_BUILD_CORE 1
# endif
#endif
%(includes)s
#include <stddef.h>
#include <stdio.h>
"""

# In the order in which they have to come; those that a release does not have are left out.
INTERNAL = [
    "internal/pystate.h",
    "internal/pycore_pystate.h",
    "internal/pycore_interp.h",
    "internal/pycore_interp_structs.h",
    "internal/pycore_runtime.h",
    "internal/pycore_runtime_structs.h",
    "internal/pycore_gil.h",
    "internal/pycore_frame.h",
    "internal/pycore_interpframe_structs.h",
    "internal/pycore_interpframe.h",
    "internal/pycore_code.h",
    "internal/pycore_dict.h",
    "internal/pycore_tstate.h",
    "internal/pycore_long.h",
    "internal/pycore_debug_offsets.h",
]

INTERP, THREAD, CODE = "PyInterpreterState", "PyThreadState", "PyCodeObject"
IFRAME, FRAME, RUNTIME = "struct _PyInterpreterFrame", "struct _frame", "struct pyruntimestate"
OLD_IFRAME = "_PyInterpreterFrame"


def at(struct, *members):
    return [f"offsetof({struct}, {member})" for member in members]


# The places a field has had; in a release that has several, the one that is read comes first.
FIELDS = {
    "runtime_interpreters_head": at(RUNTIME, "interpreters.head"),
    "runtime_interpreters_main": at(RUNTIME, "interpreters.main"),
    "runtime_tstate_current": at(RUNTIME, "gilstate.tstate_current"),
    "interp_next": at(INTERP, "next"),
    "interp_id": at(INTERP, "id"),
    "interp_threads_head": at(INTERP, "threads.head", "tstate_head"),
    "interp_threads_main": at(INTERP, "threads.main"),
    "interp_modules": at(INTERP, "imports.modules", "modules"),
    "interp_ceval_gil": at(INTERP, "ceval.gil"),
    "interp_code_generation": at(INTERP, "_code_object_generation"),
    "gil_last_holder": at("struct _gil_runtime_state", "last_holder"),
    "gil_locked": at("struct _gil_runtime_state", "locked"),
    "thread_next": at(THREAD, "next"),
    "thread_interp": at(THREAD, "interp"),
    "thread_frame": at(THREAD, "current_frame", "frame", "cframe"),
    "thread_base_frame": at(THREAD, "base_frame"),
    "thread_id": at(THREAD, "thread_id"),
    "thread_native_id": at(THREAD, "native_thread_id"),
    "thread_datastack_chunk": at(THREAD, "datastack_chunk"),
    "thread_datastack_top": at(THREAD, "datastack_top"),
    "thread_status": at(THREAD, "_status"),
    "thread_holds_gil": at(THREAD, "holds_gil"),
    "thread_gil_requested": at(THREAD, "gil_requested"),
    "thread_attach_state": at(THREAD, "state"),
    "cframe_current_frame": at("struct _PyCFrame", "current_frame") + at("CFrame", "current_frame"),
    "frame_size": [f"sizeof({IFRAME})", f"sizeof({OLD_IFRAME})"],
    "frame_previous": at(IFRAME, "previous") + at(OLD_IFRAME, "previous") + at(FRAME, "f_back"),
    "frame_code": at(IFRAME, "f_executable", "f_code")
    + at(OLD_IFRAME, "f_code")
    + at(FRAME, "f_code"),
    "frame_instr": at(IFRAME, "instr_ptr", "prev_instr")
    + at(OLD_IFRAME, "prev_instr")
    + at(FRAME, "f_lasti"),
    "frame_refcount": at(FRAME, "ob_refcnt", "ob_base.ob_base.ob_refcnt"),
    "frame_state": at(FRAME, "f_state", "f_executing"),
    "frame_owner": at(IFRAME, "owner") + at(OLD_IFRAME, "owner"),
    "frame_localsplus": at(IFRAME, "localsplus") + at(OLD_IFRAME, "localsplus")
    + at(FRAME, "f_localsplus"),
    "frame_locals": at(IFRAME, "f_locals") + at(OLD_IFRAME, "f_locals") + at(FRAME, "f_locals"),
    "frame_iblock": at(FRAME, "f_iblock"),
    "frame_blockstack": at(FRAME, "f_blockstack"),
    "frame_is_entry": at(IFRAME, "is_entry") + at(OLD_IFRAME, "is_entry"),
    "frame_tlbc_index": at(IFRAME, "tlbc_index"),
    "chunk_previous": at("struct _stack_chunk", "previous"),
    "chunk_size": at("struct _stack_chunk", "size"),
    "chunk_top": at("struct _stack_chunk", "top"),
    "chunk_data": at("struct _stack_chunk", "data"),
    "code_size": [f"sizeof({CODE})"],
    "code_version": at(CODE, "co_version"),
    "code_firstlineno": at(CODE, "co_firstlineno"),
    "code_flags": at(CODE, "co_flags"),
    "code_stacksize": at(CODE, "co_stacksize"),
    "code_varnames": at(CODE, "co_varnames"),
    "code_freevars": at(CODE, "co_freevars"),
    "code_cellvars": at(CODE, "co_cellvars"),
    "code_exceptiontable": at(CODE, "co_exceptiontable"),
    "code_localsplusnames": at(CODE, "co_localsplusnames"),
    "code_localspluskinds": at(CODE, "co_localspluskinds"),
    "code_filename": at(CODE, "co_filename"),
    "code_name": at(CODE, "co_name"),
    "code_qualname": at(CODE, "co_qualname"),
    "code_linetable": at(CODE, "co_linetable", "co_lnotab"),
    "code_bytecode": at(CODE, "co_code_adaptive", "co_code"),
    "code_firsttraceable": at(CODE, "_co_firsttraceable"),
    "code_tlbc": at(CODE, "co_tlbc"),
    "object_size": ["sizeof(PyObject)"],
    "object_type": at("PyObject", "ob_type"),
    "type_name": at("PyTypeObject", "tp_name"),
    "type_basicsize": at("PyTypeObject", "tp_basicsize"),
    "type_flags": at("PyTypeObject", "tp_flags"),
    "type_dictoffset": at("PyTypeObject", "tp_dictoffset"),
    "type_cached_keys": at("PyHeapTypeObject", "ht_cached_keys"),
    "type_qualname": at("PyHeapTypeObject", "ht_qualname"),
    "tuple_items": at("PyTupleObject", "ob_item"),
    "bytearray_start": at("PyByteArrayObject", "ob_start", "ob_bytes"),
    "function_qualname": at("PyFunctionObject", "func_qualname", "func_name"),
    "generator_qualname": at("PyGenObject", "gi_qualname"),
    "str_length": at("PyStringObject", "ob_size") + at("PyASCIIObject", "length"),
    "str_state": at("PyASCIIObject", "state"),
    "str_ascii_size": at("PyStringObject", "ob_sval") + ["sizeof(PyASCIIObject)"],
    "str_compact_size": ["sizeof(PyCompactUnicodeObject)"],
    "bytes_size": at("PyStringObject", "ob_size") + at("PyBytesObject", "ob_base.ob_size"),
    "bytes_data": at("PyStringObject", "ob_sval") + at("PyBytesObject", "ob_sval"),
    "int_size": at("struct _longobject", "long_value.lv_tag", "ob_base.ob_size"),
    "int_digits": at("PyIntObject", "ob_ival")
    + at("struct _longobject", "long_value.ob_digit", "ob_digit"),
    "dict_used": at("PyDictObject", "ma_used"),
    "dict_keys": at("PyDictObject", "ma_table", "ma_keys"),
    "dict_values": at("PyDictObject", "ma_mask", "ma_values"),
    "module_dict": at("PyModuleObject", "md_dict"),
    "interp_gc_collecting": at(INTERP, "gc.collecting"),
}

# No public or internal header declares it; it is defined in Objects/moduleobject.c up to 3.12.
NOT_IN_HEADERS = {"module_dict"}


class Probe:
    def __init__(self, include, free_threaded):
        self.include = pathlib.Path(include)
        self.folder = tempfile.TemporaryDirectory()
        self.defines = "#define Py_BUILD_CORE 1\n"
        if free_threaded:
            self.defines += "#ifndef Py_GIL_DISABLED\n#define Py_GIL_DISABLED 1\n#endif\n"
        self.includes = ""
        if not self.compiles("0"):
            self.defines = self.defines.replace("#define Py_BUILD_CORE 1\n", "")
        for header in INTERNAL:
            if (self.include / header).exists():
                before = self.includes
                self.includes += f"#include <{header}>\n"
                if not self.compiles("0"):
                    self.includes = before

    def source(self, lines):
        prelude = PRELUDE % {"defines": self.defines, "includes": self.includes}
        return prelude + "int main(void)\n{\n" + "\n".join(lines) + "\n\treturn 0;\n}\n"

    def compile(self, lines, output):
        path = pathlib.Path(self.folder.name) / "probe.c"
        path.write_text(self.source(lines))
        return (
            subprocess.run(
                [os.environ.get("CC", "cc"), "-w", "-O0", "-I", self.include,
                 "-I", self.include / "internal", *output, path],
                capture_output=True,
            ).returncode
            == 0
        )

    def compiles(self, expression):
        return self.compile([f"\t(void)({expression});"], ["-fsyntax-only"])

    def measure(self):
        """{field: offset, or None if no place compiles}"""
        chosen = {
            field: next((place for place in places if self.compiles(place)), None)
            for field, places in FIELDS.items()
        }
        lines = [
            f'\tprintf("{field} %ld\\n", (long)({place}));'
            for field, place in chosen.items()
            if place
        ]
        program = pathlib.Path(self.folder.name) / "probe"
        # nothing of Python's library is called, so nothing of it need be linked
        if not self.compile(lines, ["-Wl,--unresolved-symbols=ignore-all", "-o", program]):
            raise SystemExit(f"{self.include}: the probe does not compile")
        measured = dict.fromkeys(FIELDS)
        for line in subprocess.run([program], capture_output=True, text=True).stdout.splitlines():
            field, value = line.split()
            measured[field] = int(value)
        return measured

    def release(self):
        text = (self.include / "patchlevel.h").read_text()
        major, minor = (
            re.search(rf"define PY_{part}_VERSION\s+(\d+)", text).group(1)
            for part in ("MAJOR", "MINOR")
        )
        config = (self.include / "pyconfig.h").read_text()
        threaded = "Py_GIL_DISABLED 1" in config + self.defines
        return f"{major}.{minor}" + ("t" if threaded else "")


def columns_of_def():
    """{field: {release: offset, or None}}"""
    fields = {}
    for line in DEF.read_text().splitlines():
        if not line.startswith("OFFSET("):
            continue
        field, *values = (word.strip() for word in line[7 : line.index(")")].split(","))
        fields[field] = {
            release: None if value == "_" else int(value)
            for release, value in zip(COLUMNS, values)
        }
    return fields


def check(release, measured):
    known = columns_of_def()
    if release not in COLUMNS:
        print(f"{release}: {DEF.name} has no such column", file=sys.stderr)
        return False
    good, compared = True, 0
    for field, columns in known.items():
        # what the file leaves out is not read in that release, whether or not it is there
        if field in NOT_IN_HEADERS or field not in measured or columns[release] is None:
            continue
        compared += 1
        if measured[field] != columns[release]:
            good = False
            print(f"{release}: {field}: headers say {measured[field]}, the file {columns[release]}")
    used = sum(columns[release] is not None for columns in known.values())
    verdict = "all agree" if good else "some differ"
    print(f"{release}: {compared} of {used} fields compared, {verdict}")
    return good


def add_column(measured):
    """The text of the file with one more column before those of the debug offsets."""
    out = []
    for line in DEF.read_text().splitlines():
        if line.startswith("OFFSET("):
            head, *values = line[: line.rindex(")")].split(",")
            field = head[7:].strip()
            value = measured.get(field)
            values.insert(len(COLUMNS), f"{'_' if value is None else value:>6}")
            line = ",".join([head, *values]) + ")"
        out.append(line)
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--def", action="store_true", dest="as_def")
    parser.add_argument("--free-threaded", action="store_true")
    parser.add_argument("include", nargs="+", metavar="INCLUDE_DIR")
    options = parser.parse_args()
    good = True
    for include in options.include:
        probe = Probe(include, options.free_threaded)
        measured = probe.measure()
        if options.check:
            good = check(probe.release(), measured) and good
        elif options.as_def:
            print(add_column(measured))
        else:
            print(f"# {probe.release()}")
            for field, value in measured.items():
                print(f"{field:28} {'?' if value is None else value}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
