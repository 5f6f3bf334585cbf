// SPDX-License-Identifier: MIT
#include "ext.h"

PyObject *ext_error;

PyObject *ext_raise(struct err *err)
{
	PyObject *type = ext_error;

	switch (err->kind) {
	case ERR_USAGE:
		type = PyExc_ValueError;
		break;
	case ERR_PERMISSION:
		type = PyExc_PermissionError;
		break;
	case ERR_FAILED:
	case ERR_NOT_PYTHON:
	case ERR_GONE:
		break;
	}
	PyErr_SetString(type, err->message);
	err_free(err);
	return NULL;
}

static int add_error(PyObject *module)
{
	ext_error = PyErr_NewExceptionWithDoc("fireglass.Error",
		"What fireglass could not do, and the remedy.", PyExc_RuntimeError, NULL);
	if (!ext_error)
		return -1;
	Py_INCREF(ext_error);
	return PyModule_AddObject(module, "Error", ext_error);
}

static int exec_module(PyObject *module)
{
	if (add_error(module) < 0 || ext_add_session(module) < 0 || ext_add_spans(module) < 0)
		return -1;
	if (ext_add_capture(module) < 0 || ext_add_builder(module) < 0)
		return -1;
	if (ext_add_tracer(module) < 0)
		return -1;
	if (ext_add_overlay(module) < 0 || ext_add_cut(module) < 0)
		return -1;
	return PyModule_AddStringConstant(module, "version", FIREGLASS_VERSION);
}

static PyModuleDef_Slot slots[] = {
	{ Py_mod_exec, exec_module },
#ifdef Py_GIL_DISABLED
	{ Py_mod_gil, Py_MOD_GIL_NOT_USED },
#endif
	{ 0, NULL },
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT,
	.m_name = "fireglass._fireglass",
	.m_doc = "The engine of fireglass, in this process.",
	.m_slots = slots,
};

PyMODINIT_FUNC PyInit__fireglass(void);
PyMODINIT_FUNC PyInit__fireglass(void)
{
	return PyModuleDef_Init(&definition);
}
