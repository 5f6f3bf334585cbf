// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <string.h>

#include "trace.h"

PyTypeObject *trace_c_method_type;
// Where PyCFunctionObject has its PyMethodDef, self and module; and a method descriptor its PyMethodDef.
size_t trace_def_offset = sizeof(PyObject);
size_t trace_descriptor_offset = sizeof(PyObject) + 3 * sizeof(void *);

#define SELF_OFFSET (sizeof(PyObject) + sizeof(void *))
#define MODULE_OFFSET (sizeof(PyObject) + 2 * sizeof(void *))

static bool names_is(PyObject *callee, size_t offset, const char *name)
{
	const PyMethodDef *def = trace_def_at(callee, offset);

	return def && def->ml_name && !strcmp(def->ml_name, name);
}

// Looks at one of each kind whether it is laid out as we think.
int trace_names_init(void)
{
	PyObject *upper = PyObject_GetAttrString((PyObject *)&PyUnicode_Type, "upper");
	PyObject *empty = PyUnicode_FromString("");
	PyObject *bound = empty ? PyObject_GetAttrString(empty, "upper") : NULL;

	trace_c_method_type = (PyTypeObject *)dlsym(RTLD_DEFAULT, "PyCMethod_Type");
	if (upper && bound &&
		(!names_is(upper, trace_descriptor_offset, "upper") ||
			!names_is(bound, trace_def_offset, "upper") ||
			*(PyObject **)((char *)bound + SELF_OFFSET) != empty))
		PyErr_SetString(ext_error,
			"cannot trace: this Python lays out C functions in a way that is not known");
	Py_XDECREF(upper);
	Py_XDECREF(bound);
	Py_XDECREF(empty);
	return PyErr_Occurred() ? -1 : 0;
}

static PyObject *field(PyObject *function, size_t offset)
{
	return *(PyObject **)((char *)function + offset);
}

PyObject *trace_c_object(PyObject *callee)
{
	if (Py_TYPE(callee) == &PyMethodDescr_Type)
		return callee;
	PyObject *self = field(callee, SELF_OFFSET);
	// A function of a module, or a static method. Of a method its class is enough.
	if (!self || field(callee, MODULE_OFFSET) || PyObject_TypeCheck(self, &PyModule_Type))
		return callee;
	return (PyObject *)Py_TYPE(self);
}

// What a class has under a name that is of C: the method of `def` itself, or NULL for "keep looking".
static PyObject *text_of_found(PyObject *found, const PyMethodDef *def, PyObject **other)
{
	if (Py_TYPE(found) == &PyMethodDescr_Type &&
		trace_def_at(found, trace_descriptor_offset) == def)
		return PyObject_Repr(found);
	if (!*other && trace_is_c_function(found))
		*other = PyObject_Repr(found);
	return NULL;
}

// The text of the method in the class that has it, as its repr() says.
static PyObject *method_name(PyObject *type, const PyMethodDef *def)
{
	PyObject *mro = PyObject_GetAttrString(type, "__mro__"), *text = NULL, *other = NULL;
	Py_ssize_t count = mro ? PyTuple_Size(mro) : 0;

	for (Py_ssize_t i = 0; i < count && !text; i++) {
		PyObject *dict = PyObject_GetAttrString(PyTuple_GetItem(mro, i), "__dict__");
		PyObject *found = dict ? PyMapping_GetItemString(dict, def->ml_name) : NULL;
		if (found)
			text = text_of_found(found, def, &other);
		Py_XDECREF(found);
		Py_XDECREF(dict);
		PyErr_Clear();
	}
	Py_XDECREF(mro);
	PyErr_Clear();
	if (text)
		Py_XDECREF(other);
	else
		text = other;
	return text ? text : PyUnicode_FromFormat("<built-in method %s>", def->ml_name);
}

static PyObject *module_name(PyObject *function)
{
	PyObject *name = PyObject_GetAttrString(function, "__module__");

	PyErr_Clear();
	if (name && PyUnicode_Check(name))
		return name;
	Py_XDECREF(name);
	return NULL;
}

static PyObject *function_name(PyObject *function, const PyMethodDef *def)
{
	PyObject *module = module_name(function), *text;

	if (field(function, SELF_OFFSET))
		text = module
			? PyUnicode_FromFormat("<built-in method %U.%s>", module, def->ml_name)
			: PyUnicode_FromFormat("<built-in method %s>", def->ml_name);
	else if (module && PyUnicode_CompareWithASCIIString(module, "builtins"))
		text = PyUnicode_FromFormat("<%U.%s>", module, def->ml_name);
	else
		text = PyUnicode_FromFormat("<%s>", def->ml_name);
	Py_XDECREF(module);
	return text;
}

PyObject *trace_name(const void *key, PyObject *object)
{
	if (key == object) {
		Py_INCREF(object);
		return object;
	}
	if (Py_TYPE(object) == &PyMethodDescr_Type)
		return PyObject_Repr(object);
	if (PyType_Check(object))
		return method_name(object, key);
	return function_name(object, key);
}

PyObject *trace_thread_object(unsigned long ident)
{
	PyObject *modules = PyImport_GetModuleDict(); // borrowed
	PyObject *threading = modules ? PyMapping_GetItemString(modules, "threading") : NULL;
	PyObject *active = threading ? PyObject_GetAttrString(threading, "_active") : NULL;
	PyObject *number = active ? PyLong_FromUnsignedLong(ident) : NULL;
	PyObject *found = number ? PyObject_GetItem(active, number) : NULL;

	Py_XDECREF(number);
	Py_XDECREF(active);
	Py_XDECREF(threading);
	PyErr_Clear();
	return found;
}
