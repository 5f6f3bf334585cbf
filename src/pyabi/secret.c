// SPDX-License-Identifier: MIT
#include "pyabi/secret.h"

#include <string.h>

#include "base/cleanup.h"

/* Longer names are looked at as far as this. */
#define NAME_MAX_BYTES 128

/* One word of a name says it. */
static const char *const secret_words[] = {
	"auth", "authorization", "authentication", "bearer", "cookie", "cookies", "cred", "creds",
	"credential", "credentials", "csrf", "csrftoken", "jwt", "otp", "passphrase", "passphrases",
	"passwd", "passwds", "password", "passwords", "pw", "pwd", "secret", "secrets", "token",
	"tokens", "xsrf",
};

/* A word may end in it: authtoken, dbpassword. */
static const char *const secret_endings[] = {
	"apikey", "passphrase", "passwd", "password", "passwords", "secret", "sessionid", "token",
};

/* Two words that follow each other. */
static const char *const secret_pairs[][2] = {
	{ "access", "key" }, { "account", "key" }, { "api", "key" }, { "api", "keys" },
	{ "client", "key" }, { "db", "pass" }, { "encryption", "key" }, { "master", "key" },
	{ "private", "key" }, { "session", "id" }, { "session", "key" }, { "shared", "key" },
	{ "signing", "key" }, { "smtp", "pass" }, { "ssh", "key" }, { "user", "pass" },
};

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z');
}

/*
 * The words of a name, in small letters, each ended with 0; two zeros at the end. A word ends at
 * what is no letter, and where a small letter is followed by a capital one (apiKey), or a row of
 * capitals by a small one (DBPassword).
 */
static void split_words(const char *name, size_t len, char words[2 * NAME_MAX_BYTES + 2])
{
	size_t at = 0;

	len = len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool begins = i && is_upper(c) &&
			      (!is_upper(name[i - 1]) ||
				      (i + 1 < len && is_letter(name[i + 1]) &&
					      !is_upper(name[i + 1])));

		if ((!is_letter(c) || begins) && at && words[at - 1])
			words[at++] = 0;
		if (is_letter(c))
			words[at++] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
	}
	words[at] = words[at + 1] = 0;
}

static bool is_secret_word(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < ARRAY_LEN(secret_words); i++)
		if (strcmp(word, secret_words[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(secret_endings); i++) {
		size_t ending = strlen(secret_endings[i]);

		if (len >= ending && strcmp(word + len - ending, secret_endings[i]) == 0)
			return true;
	}
	return false;
}

static bool is_secret_pair(const char *first, const char *second)
{
	for (size_t i = 0; i < ARRAY_LEN(secret_pairs); i++)
		if (strcmp(first, secret_pairs[i][0]) == 0 && strcmp(second, secret_pairs[i][1]) == 0)
			return true;
	return false;
}

bool secret_name(const char *name, size_t len)
{
	char words[2 * NAME_MAX_BYTES + 2];

	split_words(name, len, words);
	for (const char *word = words; *word;) {
		const char *next = word + strlen(word) + 1;

		if (is_secret_word(word) || is_secret_pair(word, next))
			return true;
		word = next;
	}
	return false;
}
