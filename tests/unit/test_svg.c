// SPDX-License-Identifier: MIT
/* The C side of the flame graph. Well-formed XML: test_svg_xml.py; how it works: tests/browser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/svg.h"
#include "golden.h"
#include "sample_profile.h"
#include "svg_resources.h"

struct fixture {
	struct profile profile;
	struct export_options options;
	struct svg_picture picture;
};

static void fixture_init(struct fixture *f, void (*fill)(struct profile *p))
{
	*f = (struct fixture){ .options = {
				       .title = "a <title>",
				       .command = "python app.py --name \"x & y\"",
				       .unit = "1 ms",
				       .cwd = "/srv/app",
			       } };
	fill(&f->profile);
	f->picture = (struct svg_picture){ .profile = &f->profile, .options = &f->options };
	tree_build(&f->picture.tree, &f->profile, TREE_FUNCTIONS, TREE_CALLEES);
}

static void fixture_deinit(struct fixture *f)
{
	tree_deinit(&f->picture.tree);
	profile_deinit(&f->profile);
}

static char *data_text(const struct fixture *f)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	svg_write_data(out, &f->picture);
	fputc('\n', out);
	fclose(out);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text += strlen(what))
		n++;
	return n;
}

static void test_golden(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;
	_cleanup_buf_ struct buf still = BUF_INIT;
	unsigned int height;

	(void)state;
	fixture_init(&f, sample_profile_init);
	_cleanup_free_ char *data = data_text(&f);
	golden_check("flamegraph.json", data, strlen(data));
	svg_add_still(&still, &f.picture, &height);
	golden_check("flamegraph_still.svg", still.data, still.len);
	buf_clear(&still);
	f.options.inverted = true;
	svg_add_still(&still, &f.picture, &height);
	golden_check("icicle_still.svg", still.data, still.len);
}

static void test_options_in_data(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f, sample_profile_init);
	f.options =
		(struct export_options){ .no_lines = true, .inverted = true, .full_paths = true };
	_cleanup_free_ char *data = data_text(&f);
	assert_non_null(strstr(data, "\"title\":\"Flame graph\",\"command\":null,\"unit\":null"));
	assert_non_null(strstr(data, "\"inverted\":true"));
	assert_non_null(strstr(data, "/usr/lib/python3.12/json/__init__.py"));
	assert_null(strstr(data, "\"lines\""));
}

/* Colours are for functions, not for where the files happen to lie. */
static void test_colour_is_stable(void **state)
{
	_cleanup_(profile_deinit) struct profile p;
	struct export_options options = { .cwd = "/home/b" };
	struct svg_picture picture = { .profile = &p, .options = &options };

	(void)state;
	profile_init(&p);
	frame_id a = sample_frame(&p, "f", "/home/b/lib/python3.9/site-packages/x.py", 1, 1);
	frame_id b = sample_frame(&p, "f", "/opt/lib/python3.13/site-packages/x.py", 9, 1);
	frame_id c = sample_frame(&p, "f", "/home/b/x.py", 9, 1);
	struct svg_colour one = svg_colour(&picture, p.frames[a].function);
	struct svg_colour two = svg_colour(&picture, p.frames[b].function);
	assert_int_equal(one.origin, LABEL_PACKAGE);
	assert_int_equal(one.tone, two.tone);
	assert_int_equal(svg_colour(&picture, p.frames[c].function).origin, LABEL_OWN);
	options.full_paths = true;
	assert_int_equal(svg_colour(&picture, p.frames[a].function).tone, one.tone);
}

/* Many nodes, wide and deep: a bounded picture, whatever the profile. */
static void fill_many(struct profile *p)
{
	char name[32];

	profile_init(p);
	frame_id root = sample_frame(p, "root", "r.py", 1, 1);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "leaf%d", i);
		SAMPLE_ADD(p, 1, root, sample_frame(p, name, "l.py", 1, 1));
	}
	stack_id deep = STACK_NONE;
	for (int i = 0; i < 5000; i++)
		deep = profile_stack(p, deep, root);
	profile_add_sample(p, deep, 20000);
}

static void test_still_is_bounded(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;
	_cleanup_buf_ struct buf still = BUF_INIT;
	unsigned int height;

	(void)state;
	fixture_init(&f, fill_many);
	svg_add_still(&still, &f.picture, &height);
	assert_true(height < 4000);
	assert_true(count(still.data, "<rect") < 4000);
	// the leaves and the levels above the last row
	assert_int_equal(count(still.data, "class=\"rest\""), 2);
	assert_non_null(strstr(still.data, "20 000 more frames"));
}

static void test_empty(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;
	_cleanup_buf_ struct buf still = BUF_INIT;
	unsigned int height;

	(void)state;
	fixture_init(&f, profile_init);
	svg_add_still(&still, &f.picture, &height);
	assert_non_null(strstr(still.data, "0 samples"));
	_cleanup_free_ char *data = data_text(&f);
	assert_non_null(strstr(data, "\"nodes\":\"\""));
}

/* No name gets out of where it is put, in the data or in the picture. */
static void test_hostile_names(void **state)
{
	_cleanup_(fixture_deinit) struct fixture f;
	_cleanup_buf_ struct buf still = BUF_INIT;
	unsigned int height;

	(void)state;
	fixture_init(&f, sample_hostile_init);
	_cleanup_free_ char *data = data_text(&f);
	assert_null(strpbrk(data, "<>&"));
	for (const unsigned char *s = (const unsigned char *)data; *s; s++)
		assert_true(*s >= 0x20 || (*s == '\n' && !s[1]));
	svg_add_still(&still, &f.picture, &height);
	assert_int_equal(count(still.data, "<script"), 0);
	assert_int_equal(count(still.data, "<img"), 0);
	assert_int_equal(count(still.data, "\xe2\x80\xae"), 0);
	assert_true(still.len < 200000);
}

static void test_resources_can_be_embedded(void **state)
{
	(void)state;
	assert_null(strstr(svg_page_js, "]]>"));
	assert_null(strpbrk(svg_page_css, "<&"));
	assert_null(strpbrk(svg_picture_css, "<&"));
	for (size_t i = 0; i < LABEL_ORIGINS; i++) {
		for (unsigned int tone = 0; tone < SVG_TONES; tone++) {
			_cleanup_free_ char *rule = xasprintf(".%c%u{fill:", svg_classes[i], tone);

			// once for light, once for dark
			assert_int_equal(count(svg_picture_css, rule), 2);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_options_in_data),
		cmocka_unit_test(test_colour_is_stable),
		cmocka_unit_test(test_still_is_bounded),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_resources_can_be_embedded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
