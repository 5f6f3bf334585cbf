// SPDX-License-Identifier: MIT
/*
 * Text into XML. Works for element content and for attribute values in either kind of quotes.
 *
 * XML 1.0 cannot hold most control characters at all, not even as references: they, U+FFFE, U+FFFF
 * and what is no UTF-8 become U+FFFD. Tab, newline and carriage return become references, so that
 * they survive in attributes.
 */
#ifndef FIREGLASS_FMT_XML_OUT_H
#define FIREGLASS_FMT_XML_OUT_H

#include <stddef.h>

#include "base/buf.h"

void xml_add_text(struct buf *out, const char *text, size_t len);

#endif
