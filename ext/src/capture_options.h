// SPDX-License-Identifier: MIT
/*
 * The keyword arguments of Capture's methods as a selection (docs/selecting.md) and as options of
 * exporters. A word that is not known is a TypeError, a value that makes no sense a ValueError.
 */
#ifndef FIREGLASS_EXT_CAPTURE_OPTIONS_H
#define FIREGLASS_EXT_CAPTURE_OPTIONS_H

#include "ext.h"

#include "export/export.h"
#include "store/view.h"

struct capture_options {
	struct selection selection;
	struct export_options exported;
	bool selects;       // an option of the selection was given
	PyObject *fd;       // or NULL
	PyObject *sources;  // callable(file) -> (text, note) or None; or NULL
	PyObject *baseline; // a Capture, not checked yet; or NULL
	PyObject *keep;     // list of the objects whose texts are pointed to
};

/* `kwargs` may be NULL, and must stay. `exporting`: options of exporters too. False with an exception. */
bool capture_options_init(struct capture_options *o, PyObject *kwargs, bool exporting);
void capture_options_deinit(struct capture_options *o);

#endif
