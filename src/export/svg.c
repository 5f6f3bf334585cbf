// SPDX-License-Identifier: MIT
#include "export/svg.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "fmt/xml_out.h"
#include "svg_resources.h"

const char svg_classes[LABEL_ORIGINS] = {
	[LABEL_OWN] = 'o',
	[LABEL_PACKAGE] = 'p',
	[LABEL_STDLIB] = 's',
	[LABEL_THREAD] = 't',
	[LABEL_MARK] = 'm',
};

/* FNV-1a: short inputs, and nothing else to agree with. */
static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t len)
{
	const unsigned char *s = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ s[i]) * 16777619u;
	return hash;
}

struct svg_colour svg_colour(const struct svg_picture *picture, function_id function)
{
	const struct profile *p = picture->profile;
	const struct store_function *f = &p->functions[function];
	const struct store_string *name = &p->strings[f->name];
	// always the shortened file: full paths change no colour
	struct export_options shortened = *picture->options;
	shortened.full_paths = false;
	struct label_slice file = label_file(p, f, &shortened);
	uint32_t hash = hash_bytes(2166136261u, name->text, name->len);

	hash = hash_bytes(hash, "", 1);
	hash = hash_bytes(hash, file.text, file.len);
	hash ^= hash >> 15;
	return (struct svg_colour){ label_origin(p, f), hash % SVG_TONES };
}

const char *svg_title(const struct svg_picture *picture)
{
	return picture->options->title ? picture->options->title : "Flame graph";
}

static void add_text(struct buf *out, const char *text)
{
	_cleanup_buf_ struct buf visible = BUF_INIT;

	label_visible(&visible, text, strlen(text));
	xml_add_text(out, buf_str(&visible), visible.len);
}

static void write_head(FILE *out, const struct svg_picture *picture, unsigned int height)
{
	_cleanup_buf_ struct buf title = BUF_INIT, command = BUF_INIT;

	add_text(&title, svg_title(picture));
	if (picture->options->command)
		add_text(&command, picture->options->command);
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\""
		" viewBox=\"0 0 %d %u\" role=\"img\" aria-labelledby=\"fireglass-title\">\n"
		"<title id=\"fireglass-title\">%s</title>\n<desc>%s</desc>\n",
		SVG_STILL_WIDTH, height, SVG_STILL_WIDTH, height, buf_str(&title),
		buf_str(&command));
	fprintf(out, "<style id=\"fireglass-picture\">\n%s</style>\n", svg_picture_css);
	// "not all": used only by the page that the script makes of it
	fprintf(out, "<style id=\"fireglass-page\" media=\"not all\">\n%s</style>\n", svg_page_css);
}

/*
 * First thing in the file: where there are scripts the still picture need not be drawn, which is a
 * fifth of the loading time of a large one. Should the page fail to come up, it is shown again.
 */
static const char hide_still[] =
	"<script>{const root = document.documentElement;"
	"if (root.localName === 'svg') {root.setAttribute('class', 'scripted');"
	"addEventListener('error', () => root.removeAttribute('class'));}}</script>\n";

void svg_write_picture(FILE *out, const struct svg_picture *picture)
{
	_cleanup_buf_ struct buf still = BUF_INIT;
	unsigned int height;

	svg_add_still(&still, picture, &height);
	write_head(out, picture, height);
	fputs(hide_still, out);
	fwrite(buf_str(&still), 1, still.len, out);
	fputs("<script id=\"fireglass-data\" type=\"application/json\">", out);
	svg_write_data(out, picture);
	// page_js holds no end of a CDATA section: tests/unit/test_svg.c
	fprintf(out,
		"</script>\n<script><![CDATA[\n(() => {\n'use strict';\n%s})();\n]]></script>\n",
		svg_page_js);
	fputs("</svg>\n", out);
}

static struct err *svg_write(
	FILE *out, const struct profile *p, const struct export_options *options)
{
	struct svg_picture picture = { .profile = p, .options = options };

	tree_build(&picture.tree, p, TREE_FUNCTIONS, TREE_CALLEES);
	svg_write_picture(out, &picture);
	tree_deinit(&picture.tree);
	return ferror(out) ? err_errno(errno, "cannot write the flame graph") : NULL;
}

const struct exporter export_svg = {
	.name = "svg",
	.extension = "svg",
	.summary = "a flame graph for any browser, in one file",
	.write = svg_write,
};
