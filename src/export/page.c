// SPDX-License-Identifier: MIT
/*
 * The HTML report: one file with the capture and a viewer (web/). All of what comes from the capture
 * is in the data, but for the title: see docs/page-format.md.
 */
#include "export/page.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/label.h"
#include "fmt/base64.h"
#include "fmt/gzip.h"
#include "fmt/varint.h"
#include "fmt/xml_out.h"
#include "page_live_resources.h"
#include "page_resources.h"

#define MAGIC "fgpage1\n"

/* ---- data ------------------------------------------------------------------------------------- */

static struct err *add_head(struct gzip_writer *gzip, const struct buf *json)
{
	unsigned char len[4];

	if (json->len > UINT32_MAX)
		return err_new(ERR_FAILED, "the names and texts are too much for a page");
	for (unsigned int i = 0; i < sizeof(len); i++)
		len[i] = (unsigned char)(json->len >> 8 * i);
	gzip_writer_add(gzip, MAGIC, strlen(MAGIC));
	gzip_writer_add(gzip, len, sizeof(len));
	gzip_writer_add(gzip, json->data, json->len);
	return NULL;
}

/* Of all threads, one after the other. */
static void add_column(struct gzip_writer *gzip, struct page *p, enum page_column column)
{
	size_t threads = view_capture(p->view)->thread_count;
	uint32_t before = 0;

	for (size_t i = 0; i < threads; i++) {
		struct page_thread *t = &p->threads[i];
		char first[VARINT_MAX];

		if (!t->samples)
			continue;
		if (column == PAGE_STACK)
			gzip_writer_add(gzip, first, page_first_stack(t, before, first));
		gzip_writer_add(gzip, buf_str(&t->columns[column]), t->columns[column].len);
		buf_deinit(&t->columns[column]);
		before = t->last_stack;
	}
}

static struct err *add_data(struct gzip_writer *gzip, struct page *p)
{
	struct page_table tables[PAGE_TABLES];
	_cleanup_buf_ struct buf json = BUF_INIT;

	page_make_tables(p, tables);
	page_add_json(&json, p, tables);
	struct err *err = add_head(gzip, &json);
	for (int i = 0; i < PAGE_TABLES; i++) {
		gzip_writer_add(gzip, buf_str(&tables[i].bytes), tables[i].bytes.len);
		buf_deinit(&tables[i].bytes);
	}
	for (enum page_column i = 0; i < PAGE_COLUMNS; i++)
		add_column(gzip, p, i);
	return err;
}

static struct err *prepare(struct page *p)
{
	struct err *err = page_survey(p);

	if (err)
		return err;
	page_number(p);
	return page_take_samples(p);
}

static struct err *write_gzip(FILE *out, struct page *p)
{
	struct gzip_writer *gzip;
	struct err *err = gzip_writer_create(&gzip, out);

	if (err)
		return err;
	err = add_data(gzip, p);
	gzip_writer_finish(gzip);
	gzip_writer_destroy(gzip);
	return err;
}

struct err *export_page_data(FILE *out, struct view *v, const struct export_options *options)
{
	struct page p;

	page_init(&p, v, options);
	struct err *err = prepare(&p);
	if (!err)
		err = write_gzip(out, &p);
	page_deinit(&p);
	return err;
}

/* base64 of gzip, as it comes. */
static struct err *write_packed(FILE *out, struct page *p)
{
	FILE *base64;
	struct err *err = base64_open(&base64, out);

	if (err)
		return err;
	err = write_gzip(base64, p);
	fclose(base64);
	return err;
}

static struct err *write_element(
	FILE *out, const char *id, struct view *v, const struct export_options *options)
{
	struct page p;

	page_init(&p, v, options);
	struct err *err = prepare(&p);
	if (!err) {
		fprintf(out, "<script type=\"application/octet-stream\" id=\"%s\">", id);
		err = write_packed(out, &p);
		fputs("</script>\n", out);
	}
	page_deinit(&p);
	return err;
}

/* ---- the page --------------------------------------------------------------------------------- */

static void write_title(FILE *out, const char *title)
{
	_cleanup_buf_ struct buf visible = BUF_INIT, text = BUF_INIT;

	label_visible(&visible, title, strlen(title));
	xml_add_text(&text, buf_str(&visible), visible.len);
	fwrite(buf_str(&text), 1, text.len, out);
}

static struct err *page_write(FILE *out, struct view *v, const struct export_options *options)
{
	const struct export_baseline *baseline = options->baseline;
	struct err *err;

	fputs(page_before_title, out);
	write_title(out, options->title && *options->title ? options->title : "fireglass");
	fputs(page_before_data, out);
	err = write_element(out, "capture", v, options);
	if (!err && baseline)
		err = write_element(out, "baseline", baseline->view, baseline->options);
	if (err)
		return err;
	fputs(page_after_data, out);
	return ferror(out) ? err_errno(errno, "cannot write the page") : NULL;
}

/* As it is, but that it may ask where it comes from. */
static void write_head_of_live(FILE *out)
{
	static const char policy[] = "default-src 'none';";
	const char *at = strstr(page_live_before_title, policy);
	size_t len = at ? (size_t)(at - page_live_before_title) + strlen(policy) : 0;

	fwrite(page_live_before_title, 1, len, out);
	if (at)
		fputs(" connect-src 'self';", out);
	fputs(page_live_before_title + len, out);
}

void export_page_live(FILE *out, const char *title, const char *live)
{
	write_head_of_live(out);
	write_title(out, title);
	fputs(page_live_before_data, out);
	fprintf(out, "<script type=\"application/json\" id=\"live\">%s</script>\n", live);
	fputs(page_live_after_data, out);
}

const struct exporter export_page = {
	.name = "html",
	.extension = "html",
	.summary = "the report: a page with the whole capture and a viewer, in one file",
	.write_view = page_write,
};
