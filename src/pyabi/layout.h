// SPDX-License-Identifier: MIT
/*
 * Everything that differs between CPython releases, as data: where fields are (struct py_offsets)
 * and how they behave (the enums). This is the only place that compares versions; the rest of
 * pyabi switches on behaviour, and -Wswitch-enum finds what a new behaviour misses.
 *
 * 3.13 and newer describe themselves in _Py_DebugOffsets at the start of _PyRuntime. What is read
 * there is untrusted: layout_validate() bounds every offset once, so that the walkers can use them
 * without further checks.
 */
#ifndef FIREGLASS_PYABI_LAYOUT_H
#define FIREGLASS_PYABI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A field the release does not have. */
#define OFFSET_NONE UINT32_MAX

struct py_offsets {
#define OFFSET(name, ...) uint32_t name;
#include "pyabi/layout_offsets.def"
#undef OFFSET
};

enum py_frame_kind {
	FRAME_OBJECT,  // thread -> PyFrameObject on the heap -> f_back (to 3.10)
	FRAME_CFRAME,  // thread -> _PyCFrame on the C stack -> _PyInterpreterFrame (3.11, 3.12)
	FRAME_CURRENT, // thread -> _PyInterpreterFrame (3.13 and newer)
};

/* What a frame's instruction field holds. */
enum py_instr_kind {
	INSTR_BYTE_INDEX, // index into the bytecode, in bytes
	INSTR_UNIT_INDEX, // index in code units of 2 bytes (3.10)
	INSTR_POINTER,    // address of the code unit (3.11 and newer)
};

enum py_linetable_kind {
	LINETABLE_LNOTAB_UNSIGNED, // 2.7
	LINETABLE_LNOTAB_SIGNED,   // 3.6 to 3.9
	LINETABLE_RANGES,          // 3.10
	LINETABLE_LOCATIONS,       // 3.11 and newer
};

enum py_gil_kind {
	GIL_CURRENT_SYMBOL,  // _PyThreadState_Current is the holder (2.7, 3.6)
	GIL_RUNTIME_CURRENT, // runtime.gilstate.tstate_current is the holder (3.7 to 3.11)
	GIL_PER_INTERPRETER, // *interp.ceval.gil: locked ? last_holder : none (3.12 and newer)
	GIL_FREE_THREADED,   // none, unless it was enabled at run time
};

enum py_string_kind {
	STRING_BYTES,           // 2.7: str is bytes
	STRING_PEP393,          // state: kind in bits 2-4, compact 5, ascii 6
	STRING_PEP393_SHIFTED,  // free-threaded 3.14 and newer: kind 8-10, compact 11, ascii 12
};

enum py_dict_kind {
	DICT_TABLE,     // 2.7: mask and table in the dict
	DICT_KEYS_36,   // 3.6 to 3.10: keys object with dk_size
	DICT_KEYS_311,  // keys object with dk_log2_size, kinds, values
};

/* Where an instance of a Python class keeps its attributes. */
enum py_attributes_kind {
	ATTRIBUTES_DICTOFFSET, // *(object + tp_dictoffset) (to 3.10)
	ATTRIBUTES_VALUES_311, // values pointer at -32, dict pointer at -24
	ATTRIBUTES_VALUES_312, // word at -24: values + 1, or dict
	ATTRIBUTES_INLINE,     // dict pointer at -24 (t: -8), else values inline at tp_basicsize
};

/* How _thread.lock locks, and so how a thread waits for one. */
enum py_lock_kind {
	LOCK_SEMAPHORE, // pointer to a sem_t, on which the thread waits (to 3.12)
	LOCK_EITHER,    // RLock as before, lock as before (3.13.0) or as below (3.13.1)
	LOCK_MUTEX,     // one byte: 1 locked, 2 somebody waits, each on something of its own (3.14)
};

/* Numbers of enum _frameowner. */
struct py_owners {
	uint8_t max;        // anything above is no frame
	uint8_t shims;      // bit set of owners that are no Python function (C entry, interpreter)
	uint8_t generator;  // the frame lies within a generator or coroutine
};

/* How a chain of frames that is whole ends. */
enum py_root_kind {
	ROOT_ANY,        // with a frame without a caller (to 3.10)
	ROOT_ENTRY,      // with a frame that C called: frame_is_entry (3.11)
	ROOT_SHIM,       // with a shim of C (3.12 to 3.14)
	ROOT_BASE_FRAME, // at thread.base_frame (3.15)
};

struct py_layout {
	const char *name; // "3.12", "3.14t"
	uint8_t major, minor;
	bool free_threaded;
	enum py_frame_kind frames;
	enum py_instr_kind instr;
	enum py_linetable_kind linetable;
	enum py_gil_kind gil;
	enum py_string_kind strings;
	enum py_dict_kind dicts;
	enum py_attributes_kind attributes;
	enum py_lock_kind locks;
	bool python_2;                // int is a C long, str has bytes, classes may be old-style
	struct py_owners owners;
	uint8_t frame_executing;      // what frame_state, gen_frame_state is while the frame runs
	enum py_root_kind root;
	uint64_t code_tag_mask;       // bits of frame.code and of variables that are tags, no address
	uint32_t dict_entry_bytes;    // of a general entry
	int32_t attributes_offset;    // of the managed dict pointer before the object
	const char *thread_name_attribute; // of threading.Thread
	uint32_t thread_bytes;        // as much of a thread state as sampling needs
	struct py_offsets at;
};

/* PY_VERSION_HEX, taken apart. */
static inline unsigned int py_hex_major(uint32_t hex)
{
	return hex >> 24;
}

static inline unsigned int py_hex_minor(uint32_t hex)
{
	return hex >> 16 & 0xff;
}

/* How much of _Py_DebugOffsets is read at most; all known versions are smaller. */
#define DEBUG_OFFSETS_BYTES_MAX 1024
#define DEBUG_OFFSETS_COOKIE "xdebugpy"

/* What the start of _PyRuntime says about itself in 3.13 and newer. */
struct py_debug_header {
	uint64_t version; // PY_VERSION_HEX
	uint64_t free_threaded;
};

/* False if `bytes` do not begin with the cookie and a believable version. */
bool layout_parse_debug_header(const void *bytes, size_t len, struct py_debug_header *ret);

/*
 * The layout of a release that does not describe itself (2.7, 3.6 to 3.12). `machine` is the ELF
 * e_machine; `runtime_bytes` the size of _PyRuntime, 0 if not known. ERR_NOT_PYTHON if there is no
 * row.
 */
struct err *layout_for_version(struct py_layout *ret, uint32_t version_hex, uint16_t machine,
	uint64_t runtime_bytes);

/*
 * The layout of a release that does, from `len` bytes of its _Py_DebugOffsets. A newer release than
 * any known one is read with the newest known map; *guessed_ret is then true. ERR_NOT_PYTHON if
 * what it says cannot be.
 */
struct err *layout_from_debug_offsets(struct py_layout *ret, const void *bytes, size_t len,
	bool *guessed_ret);

/*
 * Whether a function of one's own for evaluating frames (PEP 523) gets all calls. In 3.11.0 to 3.11.3 the
 * __getitem__ of `x[i]` goes past it (python/cpython#104405).
 */
bool layout_evaluator_gets_all(uint32_t version_hex);

/* "2.7, 3.6 to 3.15", for messages. */
const char *layout_versions_text(void);

/* The least and the greatest x.y that have a row, as PY_VERSION_HEX with the lower half 0. */
uint32_t layout_newest_hex(void);

#endif
