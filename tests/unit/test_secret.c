// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "pyabi/secret.h"

static void test_secrets(void **state)
{
	static const char *const names[] = { "password", "PASSWORD", "db_password", "dbPassword",
		"DBPassword", "passwd", "user_pass", "passphrase", "secret", "client-secret",
		"CLIENT_SECRET_2", "token", "auth_token", "authToken", "authtoken", "X-Auth-Token",
		"Authorization", "auth", "api_key", "apiKey", "APIKey", "apikey", "my_apikey", "api.key",
		"private_key", "credentials", "sessionid", "session-id", "Set-Cookie", "csrf", "jwt",
		"_token", "__secret__", "token1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!secret_name(names[i], strlen(names[i])))
			fail_msg("'%s' is a secret", names[i]);
}

static void test_no_secrets(void **state)
{
	static const char *const names[] = { "", "_", "author", "authors", "tokenizer", "tokenize",
		"secretary", "key", "keys", "keyboard", "monkey", "first_pass", "compass", "passenger",
		"bypass", "session", "id", "private", "api", "key_api", "host", "user", "\xff\xfe",
		"p\xc3\xa4ssword" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (secret_name(names[i], strlen(names[i])))
			fail_msg("'%s' is no secret", names[i]);
}

static void test_long_names(void **state)
{
	char name[4096];

	(void)state;
	memset(name, 'A', sizeof(name));
	assert_false(secret_name(name, sizeof(name)));
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? 'a' : 'A';
	assert_false(secret_name(name, sizeof(name)));
	memset(name, '_', sizeof(name));
	assert_false(secret_name(name, sizeof(name)));
	memcpy(name + 50, "token", 5);
	assert_true(secret_name(name, sizeof(name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_no_secrets),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
