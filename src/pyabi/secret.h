// SPDX-License-Identifier: MIT
/* Names of things that should not be shown to whoever reads a dump. */
#ifndef FIREGLASS_PYABI_SECRET_H
#define FIREGLASS_PYABI_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True for names such as password, db_passwd, apiKey, AUTH_TOKEN, Authorization, client-secret,
 * sessionid. Words count, not parts of them: "author", "tokenizer" and "keyboard" are no secrets.
 */
bool secret_name(const char *name, size_t len);

#endif
