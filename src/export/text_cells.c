// SPDX-License-Identifier: MIT
#include "export/text_cells.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "base/utf8.h"

#define ELLIPSIS "..."
#define ELLIPSIS_COLUMNS 3
#define AMOUNT_COLUMNS 8
#define HOT_PERCENT 10
#define WARM_PERCENT 2

static const char *const tone_codes[] = {
	[TONE_PLAIN] = NULL,
	[TONE_HOT] = "1;31",
	[TONE_WARM] = "33",
	[TONE_OWN] = "1",
	[TONE_FAINT] = "2",
	[TONE_MARK] = "36",
	[TONE_HEAD] = "4",
};

struct range {
	uint32_t first, last;
};

/* Unicode's East Asian Width W and F, in rough blocks. */
static const struct range wide[] = {
	{ 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x2329, 0x232a }, { 0x23e9, 0x23ec },
	{ 0x25fd, 0x25fe }, { 0x2614, 0x2615 }, { 0x2648, 0x2653 }, { 0x267f, 0x267f },
	{ 0x2693, 0x2693 }, { 0x26a1, 0x26a1 }, { 0x26aa, 0x26ab }, { 0x26bd, 0x26be },
	{ 0x26c4, 0x26c5 }, { 0x26ce, 0x26ce }, { 0x26d4, 0x26d4 }, { 0x26ea, 0x26ea },
	{ 0x26f2, 0x26f3 }, { 0x26f5, 0x26f5 }, { 0x26fa, 0x26fa }, { 0x26fd, 0x26fd },
	{ 0x2705, 0x2705 }, { 0x270a, 0x270b }, { 0x2728, 0x2728 }, { 0x274c, 0x274c },
	{ 0x274e, 0x274e }, { 0x2753, 0x2755 }, { 0x2757, 0x2757 }, { 0x2795, 0x2797 },
	{ 0x27b0, 0x27b0 }, { 0x27bf, 0x27bf }, { 0x2b1b, 0x2b1c }, { 0x2b50, 0x2b50 },
	{ 0x2b55, 0x2b55 }, { 0x2e80, 0x303e }, { 0x3041, 0x4dbf }, { 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97c }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe10, 0xfe19 },
	{ 0xfe30, 0xfe6f }, { 0xff01, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x16fe0, 0x18cff },
	{ 0x1b000, 0x1b2ff }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f18e },
	{ 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c },
	{ 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 },
	{ 0x1f3f4, 0x1f3f4 }, { 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc },
	{ 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f567 }, { 0x1f57a, 0x1f57a }, { 0x1f595, 0x1f596 },
	{ 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f }, { 0x1f680, 0x1f6c5 }, { 0x1f6cc, 0x1f6cc },
	{ 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6df }, { 0x1f6eb, 0x1f6ec }, { 0x1f6f4, 0x1f6fc },
	{ 0x1f7e0, 0x1f7f0 }, { 0x1f90c, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

/* Marks that combine with the letter before, of the scripts met most. */
static const struct range combining[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x05bf, 0x05bf },
	{ 0x05c1, 0x05c2 }, { 0x05c4, 0x05c5 }, { 0x0610, 0x061a }, { 0x064b, 0x065f },
	{ 0x0670, 0x0670 }, { 0x06d6, 0x06dc }, { 0x093c, 0x093c }, { 0x0941, 0x0948 },
	{ 0x094d, 0x094d }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20f0 }, { 0x3099, 0x309a },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xe0100, 0xe01ef },
};

static bool within(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count && ranges[i].first <= c; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

static size_t char_width(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (within(combining, ARRAY_LEN(combining), c))
		return 0;
	return within(wide, ARRAY_LEN(wide), c) ? 2 : 1;
}

size_t text_width(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len;) {
		uint32_t c;

		i += utf8_decode((const unsigned char *)text + i, len - i, &c);
		columns += char_width(c);
	}
	return columns;
}

void text_add_visible(struct buf *out, const char *text, size_t len)
{
	bool hidden = len && text[len - 1] == ' ';

	label_visible(out, text, len - hidden);
	if (hidden)
		buf_add_str(out, "\\x20");
}

/* How many bytes from the start take at most `columns`; *used_ret is how many they take. */
static size_t head_bytes(const char *text, size_t len, size_t columns, size_t *used_ret)
{
	size_t at = 0, used = 0;

	while (at < len) {
		uint32_t c;
		size_t n = utf8_decode((const unsigned char *)text + at, len - at, &c);

		if (used + char_width(c) > columns)
			break;
		used += char_width(c);
		at += n;
	}
	*used_ret = used;
	return at;
}

/* Where what is left takes at most `columns`. */
static size_t tail_start(const char *text, size_t len, size_t columns)
{
	size_t width = text_width(text, len), at = 0;

	while (at < len && width > columns) {
		uint32_t c;

		at += utf8_decode((const unsigned char *)text + at, len - at, &c);
		width -= char_width(c);
	}
	return at;
}

static size_t add_clipped(
	struct buf *out, const char *text, size_t len, size_t columns, enum text_clip clip)
{
	size_t head = clip == CLIP_START ? 0 : (columns - ELLIPSIS_COLUMNS + 1) / 2, used;
	size_t bytes = head_bytes(text, len, head, &used);
	size_t tail = tail_start(text, len, columns - ELLIPSIS_COLUMNS - used);

	buf_add(out, text, bytes);
	buf_add_str(out, ELLIPSIS);
	buf_add(out, text + tail, len - tail);
	return used + ELLIPSIS_COLUMNS + text_width(text + tail, len - tail);
}

static void begin_tone(struct buf *out, enum text_tone tone, bool color)
{
	if (color && tone_codes[tone])
		buf_printf(out, "\033[%sm", tone_codes[tone]);
}

static void end_tone(struct buf *out, enum text_tone tone, bool color)
{
	if (color && tone_codes[tone])
		buf_add_str(out, "\033[0m");
}

void text_add_cell(struct buf *out, const char *text, size_t len, size_t columns,
	enum text_clip clip, enum text_tone tone, bool color)
{
	size_t width = text_width(text, len);

	begin_tone(out, tone, color);
	if (width > columns)
		width = add_clipped(out, text, len, columns, clip);
	else
		buf_add(out, text, len);
	end_tone(out, tone, color);
	for (; width < columns; width++)
		buf_add_char(out, ' ');
}

void text_add_percent(struct buf *out, uint64_t part, uint64_t whole, bool color)
{
	if (!part) {
		buf_printf(out, "%6s", "");
		return;
	}
	double percent = whole ? 100.0 * (double)part / (double)whole : 0;
	enum text_tone tone = percent >= HOT_PERCENT ? TONE_HOT :
			      percent >= WARM_PERCENT ? TONE_WARM : TONE_PLAIN;

	begin_tone(out, tone, color);
	buf_printf(out, "%5.1f%%", percent);
	end_tone(out, tone, color);
}

/* Unit and decimals by the largest number there is (rounded, it must not need a digit more), so that columns can be compared at a glance. */
static void add_time(struct buf *out, double ns, double largest_ns)
{
	static const struct {
		double from_ns, unit_ns;
		const char *name;
		int decimals;
	} scales[] = {
		{ 9999.95e9, 1e9, "s", 0 }, { 999.995e9, 1e9, "s", 1 },
		{ 99.9995e9, 1e9, "s", 2 }, { 1e9, 1e9, "s", 3 }, { 99.995e6, 1e6, "ms", 1 },
		{ 1e6, 1e6, "ms", 2 }, { 0, 1e3, "us", 1 },
	};
	size_t i = 0;

	while (largest_ns < scales[i].from_ns)
		i++;
	buf_printf(out, "%.*f %s", scales[i].decimals, ns / scales[i].unit_ns, scales[i].name);
}

/* In groups if there is room, else in one, else rounded. */
static void add_count(struct buf *out, uint64_t count)
{
	static const char *const thousands[] = { "M", "G", "T", "P", "E" };
	double value = (double)count / 1e6;
	size_t i = 0;

	units_add_count(out, count);
	if (out->len <= AMOUNT_COLUMNS)
		return;
	buf_clear(out);
	buf_printf(out, "%" PRIu64, count);
	if (out->len <= AMOUNT_COLUMNS)
		return;
	buf_clear(out);
	for (; value >= 9999.95; value /= 1e3)
		i++;
	buf_printf(out, "%.1f %s", value, thousands[i]);
}

void text_add_amount(struct buf *out, uint64_t samples, uint64_t largest,
	const struct export_options *options)
{
	_cleanup_buf_ struct buf amount = BUF_INIT;
	double period = (double)options->period_ns;

	if (!samples)
		buf_add_char(&amount, '-');
	else if (options->period_ns)
		add_time(&amount, (double)samples * period, (double)largest * period);
	else
		add_count(&amount, samples);
	buf_printf(out, "%*s", AMOUNT_COLUMNS, buf_str(&amount));
}

enum text_tone text_tone_of(const struct profile *p, const struct store_function *f)
{
	static const enum text_tone tones[LABEL_ORIGINS] = {
		[LABEL_OWN] = TONE_OWN,
		[LABEL_PACKAGE] = TONE_PLAIN,
		[LABEL_STDLIB] = TONE_PLAIN,
		[LABEL_THREAD] = TONE_MARK,
		[LABEL_MARK] = TONE_MARK,
	};

	return tones[label_origin(p, f)];
}

void text_end_line(FILE *out, struct buf *line)
{
	while (line->len && line->data[line->len - 1] == ' ')
		line->len--;
	fwrite(line->data, 1, line->len, out);
	fputc('\n', out);
	buf_clear(line);
}
