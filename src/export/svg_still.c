// SPDX-License-Identifier: MIT
/*
 * The still picture: what the script would show first, at a fixed width and with a bound on the
 * number of rectangles. Whatever is left out, being narrow or far up, is part of a hatched
 * remainder to the right of its siblings, if that is wide enough to be seen.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "base/utf8.h"
#include "export/svg.h"
#include "export/svg_diff.h"
#include "fmt/xml_out.h"

#define STILL_MAX_NODES 1500
#define STILL_MAX_ROWS 120
#define STILL_LEAST_PX 0.5
#define TITLE_LEAST_PX 3
#define TITLE_MOST_PX 2000 // of text
#define ROW_PX 20
#define FONT_PX 12.0
#define MARGIN_PX 12
#define HEAD_PX 62
#define FOOT_PX 40
#define TOTALS_PX 300
#define CHART_PX (SVG_STILL_WIDTH - 2 * MARGIN_PX)
#define NOT_DRAWN (-1.0)

struct still {
	const struct svg_picture *picture;
	struct buf *out;
	double px_per_sample;
	uint64_t least;  // nodes with a smaller total are not drawn
	uint32_t levels; // depths drawn: 0 to levels - 1
	double *x;       // by node; NOT_DRAWN
	struct buf raw, text;
};

static double char_px(uint32_t c, double font_px)
{
	static const char narrow[] = " !'(),./:;I[]`fijlrt|{}";
	static const char wide[] = "%@MWmw";

	if (c >= 0x1100)
		return font_px * 1.05;
	if (c < 0x80 && strchr(narrow, (int)c))
		return font_px * 0.40;
	if (c < 0x80 && strchr(wide, (int)c))
		return font_px * 1.0;
	return font_px * (c >= 'A' && c <= 'Z' ? 0.76 : 0.66);
}

/* How much of `text` fits into `px`. Widths are those of a wide font: it errs to the short side. */
static size_t fitting_bytes(const struct buf *text, double px, double font_px)
{
	const unsigned char *s = (const unsigned char *)buf_str(text);
	double ellipsis = font_px, used = 0;
	size_t fits = 0; // with an ellipsis after it

	for (size_t i = 0; i < text->len;) {
		uint32_t c;
		size_t n = utf8_decode(s + i, text->len - i, &c);

		used += char_px(c, font_px);
		if (used > px)
			return fits;
		i += n;
		if (used + ellipsis <= px)
			fits = i;
	}
	return text->len;
}

/* s->raw made visible, cut to `px` and escaped, onto the output; nothing if no letter fits. */
static void add_fitted(struct still *s, double px, double font_px)
{
	buf_clear(&s->text);
	label_visible(&s->text, buf_str(&s->raw), s->raw.len);
	size_t fits = fitting_bytes(&s->text, px, font_px);
	xml_add_text(s->out, buf_str(&s->text), fits);
	if (fits && fits < s->text.len)
		buf_add_str(s->out, "\xe2\x80\xa6");
}

static int compare_descending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

/* The least total to draw, so that no more than STILL_MAX_NODES nodes are. */
static uint64_t least_total(const struct still *s)
{
	const struct tree *t = &s->picture->tree;
	_cleanup_free_ uint64_t *totals = xcalloc(t->node_count, sizeof(*totals));
	uint64_t least =
		s->px_per_sample > 0 ? (uint64_t)ceil(STILL_LEAST_PX / s->px_per_sample) : 1;
	size_t count = 0;

	if (least < 1)
		least = 1;
	for (size_t i = 0; i < t->node_count; i++)
		if (t->nodes[i].total >= least && t->nodes[i].depth < STILL_MAX_ROWS)
			totals[count++] = t->nodes[i].total;
	if (count <= STILL_MAX_NODES)
		return least;
	qsort(totals, count, sizeof(*totals), compare_descending);
	return totals[STILL_MAX_NODES] + 1;
}

static uint32_t level_count(const struct still *s)
{
	const struct tree *t = &s->picture->tree;
	uint32_t levels = 1;

	for (size_t i = 0; i < t->node_count; i++) {
		// one more for a remainder above it
		bool parent = t->nodes[i].first_child != TREE_NONE;
		uint32_t needs = t->nodes[i].depth + (parent ? 2 : 1);

		if (t->nodes[i].total >= s->least && needs > levels)
			levels = needs;
	}
	return levels < STILL_MAX_ROWS + 1 ? levels : STILL_MAX_ROWS + 1;
}

static double level_y(const struct still *s, uint32_t level)
{
	uint32_t row = s->picture->options->inverted ? level : s->levels - 1 - level;

	return HEAD_PX + (double)row * ROW_PX;
}

static double share_percent(const struct still *s, uint64_t samples)
{
	uint64_t total = s->picture->tree.nodes[TREE_ROOT].total;

	return total ? 100.0 * (double)samples / (double)total : 0;
}

/* Shown on hover; TREE_NONE: what stands for many. Ends with add_end(); slivers that nobody can point at have no title. */
static void begin_titled(struct still *s, uint32_t node, uint64_t samples, double width)
{
	if (width < TITLE_LEAST_PX)
		return;
	buf_add_str(s->out, "<g><title>");
	add_fitted(s, TITLE_MOST_PX, FONT_PX);
	buf_add_str(s->out, " \xe2\x80\x93 ");
	if (!s->picture->diff)
		buf_printf(s->out, "%" PRIu64 " samples, ", samples);
	if (s->picture->diff && node != TREE_NONE)
		svg_diff_add_facts(s->out, s->picture->diff, node);
	else
		buf_printf(s->out, "%.2f %%", share_percent(s, samples));
	buf_add_str(s->out, "</title>");
}

static void add_rect(struct still *s, const char *css, double x, double y, double width)
{
	double gap = width > 2 ? 0.7 : 0;

	buf_printf(s->out,
		"<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" rx=\"2\"/>",
		css, x, y, width - gap, ROW_PX - 1);
}

static void add_label(struct still *s, const char *css, double x, double y, double width)
{
	if (width < 28)
		return;
	buf_printf(s->out, "<text class=\"%s\" font-size=\"%.0f\" x=\"%.2f\" y=\"%.1f\">", css,
		FONT_PX, x + 5, y + 13.8);
	add_fitted(s, width - 8, FONT_PX);
	buf_add_str(s->out, "</text>");
}

static void add_end(struct still *s, double width)
{
	buf_add_str(s->out, width < TITLE_LEAST_PX ? "\n" : "</g>\n");
}

static void draw_node(struct still *s, uint32_t id)
{
	const struct tree_node *n = &s->picture->tree.nodes[id];
	double y = level_y(s, n->depth), width = (double)n->total * s->px_per_sample;
	char css[8] = "m0";

	buf_clear(&s->raw);
	if (id == TREE_ROOT) {
		buf_add_str(&s->raw, "all");
	} else {
		struct export_options options = *s->picture->options;
		struct svg_colour colour = svg_colour(s->picture, n->function);

		options.functions = true;
		label_add(&s->raw, s->picture->profile,
			&(struct store_frame){ .function = n->function }, &options);
		snprintf(css, sizeof(css), "%c%u", svg_classes[colour.origin], colour.tone);
	}
	if (s->picture->diff)
		svg_diff_css(s->picture->diff, id, css);
	begin_titled(s, id, n->total, width);
	add_rect(s, css, s->x[id], y, width);
	add_label(s, "label", s->x[id], y, width);
	add_end(s, width);
}

static void draw_rest(struct still *s, double x, uint32_t level, uint64_t samples, uint64_t frames)
{
	double y = level_y(s, level), width = (double)samples * s->px_per_sample;

	if (width < STILL_LEAST_PX)
		return;
	buf_clear(&s->raw);
	units_add_count(&s->raw, frames);
	buf_add_str(&s->raw, frames == 1 ? " more frame" : " more frames");
	begin_titled(s, TREE_NONE, samples, width);
	add_rect(s, "rest", x, y, width);
	add_label(s, "label rest-label", x, y, width);
	add_end(s, width);
}

/* Gives the children of a drawn node their places and draws what is left of them. */
static void place_children(struct still *s, uint32_t id)
{
	const struct tree *t = &s->picture->tree;
	uint32_t level = t->nodes[id].depth + 1;
	uint64_t rest = 0, rest_frames = 0;
	double x = s->x[id];

	for (uint32_t c = t->nodes[id].first_child; c != TREE_NONE; c = t->nodes[c].next_sibling) {
		const struct tree_node *child = &t->nodes[c];

		if (child->total >= s->least && level < STILL_MAX_ROWS) {
			s->x[c] = x;
			x += (double)child->total * s->px_per_sample;
		} else {
			rest += child->total;
			rest_frames += child->end - c;
		}
	}
	if (rest)
		draw_rest(s, x, level, rest, rest_frames);
}

static void draw_chart(struct still *s)
{
	const struct tree *t = &s->picture->tree;

	s->x[TREE_ROOT] = MARGIN_PX;
	for (uint32_t i = 1; i < t->node_count; i++)
		s->x[i] = NOT_DRAWN;
	for (uint32_t i = 0; i < t->node_count;) {
		if (s->x[i] == NOT_DRAWN) {
			i = t->nodes[i].end;
			continue;
		}
		draw_node(s, i);
		place_children(s, i);
		i++;
	}
}

static void draw_text(
	struct still *s, const char *css, double font_px, double x, double y, double width)
{
	buf_printf(s->out, "<text class=\"%s\" font-size=\"%.0f\" x=\"%.1f\" y=\"%.1f\">", css,
		font_px, x, y);
	add_fitted(s, width, font_px);
	buf_add_str(s->out, "</text>\n");
}

static void add_totals(struct still *s)
{
	const char *unit = s->picture->options->unit;

	if (s->picture->diff) {
		svg_diff_add_names(&s->raw, s->picture->diff);
		return;
	}
	units_add_count(&s->raw, s->picture->tree.nodes[TREE_ROOT].total);
	buf_add_str(&s->raw, " samples");
	if (unit)
		buf_printf(&s->raw, " of %s", unit);
}

static void draw_head(struct still *s)
{
	const struct export_options *options = s->picture->options;

	buf_clear(&s->raw);
	buf_add_str(&s->raw, svg_title(s->picture));
	draw_text(s, "ink title", 17, MARGIN_PX, 27, CHART_PX - TOTALS_PX);
	buf_clear(&s->raw);
	if (options->command)
		buf_add_str(&s->raw, options->command);
	draw_text(s, "dim mono", 12, MARGIN_PX, 47, CHART_PX);
	buf_printf(s->out,
		"<text class=\"dim\" font-size=\"13\" text-anchor=\"end\" x=\"%d\" y=\"27\">",
		MARGIN_PX + CHART_PX);
	buf_clear(&s->raw);
	add_totals(s);
	add_fitted(s, TOTALS_PX, 13);
	buf_add_str(s->out, "</text>\n");
}

struct legend_entry {
	const char *css, *text;
	int width;
};

static const struct legend_entry origin_legend[] = {
	{ "o1", "own code", 86 },
	{ "p4", "packages", 86 },
	{ "s4", "standard library", 126 },
	{ "t4", "threads", 76 },
	{ "m4", "other", 60 },
	{ 0 },
};

static const struct legend_entry diff_legend[] = {
	{ "g6", "grew", 64 },
	{ "g2", "a little", 72 },
	{ "e0", "within the sampling error", 182 },
	{ "l2", "a little", 72 },
	{ "l6", "shrank", 76 },
	{ "n0", "new", 58 },
	{ "x0", "gone", 60 },
	{ 0 },
};

static void draw_legend(struct still *s, double y)
{
	const struct legend_entry *entry = s->picture->diff ? diff_legend : origin_legend;

	for (int x = MARGIN_PX; entry->css; x += entry->width, entry++)
		buf_printf(s->out,
			"<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"11\" height=\"11\" rx=\"2\"/>"
			"<text class=\"dim\" font-size=\"12\" x=\"%d\" y=\"%.1f\">%s</text>\n",
			entry->css, x, y, x + 16, y + 9.8, entry->text);
}

static const char gone_pattern[] =
	"<pattern id=\"gone\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\""
	" patternTransform=\"rotate(45)\"><rect class=\"gone-ground\" width=\"6\" height=\"6\"/>"
	"<path class=\"gone-line\" d=\"M0 0V6\"/></pattern>";

static void still_begin(struct still *s, unsigned int height)
{
	buf_printf(s->out,
		"<g id=\"fireglass-still\">\n"
		"<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\""
		" patternTransform=\"rotate(45)\"><rect class=\"hatch-ground\" width=\"6\" height=\"6\"/>"
		"<path class=\"hatch-line\" d=\"M0 0V6\"/></pattern>%s</defs>\n"
		"<rect class=\"bg\" width=\"%d\" height=\"%u\"/>\n",
		s->picture->diff ? gone_pattern : "", SVG_STILL_WIDTH, height);
}

void svg_add_still(struct buf *out, const struct svg_picture *picture, unsigned int *height_ret)
{
	const struct tree *t = &picture->tree;
	uint64_t total = t->nodes[TREE_ROOT].total;
	_cleanup_free_ double *x = xcalloc(t->node_count, sizeof(*x));
	struct still s = {
		.picture = picture,
		.out = out,
		.px_per_sample = total ? (double)CHART_PX / (double)total : 0,
		.x = x,
	};

	s.least = least_total(&s);
	s.levels = level_count(&s);
	*height_ret = HEAD_PX + s.levels * ROW_PX + FOOT_PX;
	still_begin(&s, *height_ret);
	draw_head(&s);
	draw_chart(&s);
	draw_legend(&s, HEAD_PX + (double)s.levels * ROW_PX + 14);
	buf_add_str(out, "</g>\n");
	buf_deinit(&s.raw);
	buf_deinit(&s.text);
}
