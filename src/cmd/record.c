// SPDX-License-Identifier: MIT
/* fireglass record: from a process or a command to a capture, a flame graph, any format. */
#include "cmd/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/signals.h"
#include "cmd/sources.h"
#include "os/proc.h"

#define COMMAND_LINE_BYTES 4096
#define DEFAULT_PERIOD_NS 1000000

/* ---- preparing -------------------------------------------------------------------------------- */

/* The command as it was given: what runs may be a launcher that becomes something else. */
static void describe_command(struct record *r)
{
	_cleanup_buf_ struct buf arguments = BUF_INIT;

	for (char **arg = r->command; *arg; arg++)
		buf_add(&arguments, *arg, strlen(*arg) + 1);
	proc_quote_arguments(
		buf_str(&arguments), arguments.len, COMMAND_LINE_BYTES, &r->command_line);
}

static void describe_target(struct record *r)
{
	if (r->command)
		describe_command(r);
	else
		proc_command_line(r->recording.pid, COMMAND_LINE_BYTES, &r->command_line);
	proc_link(r->recording.pid, "cwd", &r->cwd);
}

static struct err *launch(struct record *r, struct spawn *spawn,
	const struct signals_inherited *inherited)
{
	struct err *err = spawn_start(spawn, r->command, &inherited->mask, &inherited->ignored);

	if (err)
		return err;
	signals_forward_to(spawn->pid);
	r->recording.spawn = spawn;
	r->recording.pid = spawn->pid;
	return NULL;
}

/* ---- finishing -------------------------------------------------------------------------------- */

static void say_where(const struct record *r)
{
	const struct rotation *files = &r->rotation;

	if (files->number > 1)
		fprintf(stderr, "fireglass: wrote %u files\n", files->number);
	if (r->spool.path)
		fprintf(stderr, "fireglass: wrote %s\n", r->spool.path);
	for (size_t i = 0; i < r->outputs.count; i++)
		if (strcmp(r->outputs.items[i].path, "-") != 0)
			fprintf(stderr, "fireglass: wrote %s\n", r->outputs.items[i].path);
}

static const char *why_none(const struct record *r)
{
	if (r->recording.options.no_idle || r->recording.options.gil_only)
		return "no thread was in the state asked for";
	if (r->recording.end == RECORDING_TARGET_ENDED)
		return "the program ended too soon";
	return "the time was too short; give a longer -d";
}

struct err *record_write(
	struct record *r, struct outputs *outputs, const struct file_root *files, const struct input *in)
{
	_cleanup_(described_deinit) struct described described;
	_cleanup_(sources_deinit) struct sources sources;
	struct selection selection;
	struct view *v;

	selecting_describe(&r->selecting, in, &described);
	sources_init(&sources, &in->capture, files);
	described.options.sources = r->selecting.no_source ? NULL : &sources.exported;
	struct err *err = selecting_resolve(&r->selecting, in, &selection);
	if (!err)
		err = view_create(&v, &in->capture, &selection);
	if (err)
		return err;
	err = outputs_write_view(outputs, v, &described.options);
	if (!err && !r->recording.quiet)
		sources_tell(&sources);
	view_destroy(v);
	return err;
}

static struct err *write_outputs(struct record *r)
{
	struct input in;

	if (!r->outputs.count)
		return NULL;
	struct err *err = spool_read(&r->spool, &in);
	if (!err)
		err = record_write(r, &r->outputs, &r->spool.files, &in);
	input_close(&in);
	return err;
}

static void say_lost(const struct record *r)
{
	uint64_t lost = r->spool.homeless;
	_cleanup_buf_ struct buf count = BUF_INIT;

	if (r->spool.writer)
		lost += capture_writer_lost(r->spool.writer);
	if (!r->spool.failed || !lost)
		return;
	units_add_count(&count, lost);
	fprintf(stderr, "fireglass: %s samples could not be written\n", buf_str(&count));
}

static bool nothing_to_show(const struct record *r)
{
	struct recording_counts c;

	recording_count(&r->recording, &c);
	return c.samples == (r->outputs.count ? c.left_out : 0);
}

/* The recording ended just after a new one was begun. */
static void drop_empty_piece(struct record *r)
{
	if (!r->rotation.number || r->spool.samples)
		return;
	rotation_drop_newest(&r->rotation);
	r->rotation.number--;
	r->spool.path = r->rotation.count ? r->rotation.paths[r->rotation.count - 1] : NULL;
}

static struct err *finish(struct record *r)
{
	struct err *err = spool_finish(&r->spool);

	if (nothing_to_show(r)) {
		err_free(err);
		outputs_abort(&r->outputs);
		spool_close(&r->spool, true);
		return err_new(ERR_FAILED, "no samples: %s", why_none(r));
	}
	say_lost(r);
	drop_empty_piece(r);
	if (err) {
		outputs_abort(&r->outputs);
		return r->spool.path ? err_prefix(err, "cannot write '%s'", r->spool.path) : err;
	}
	err = write_outputs(r);
	if (!err && !r->recording.quiet)
		say_where(r);
	return err;
}

static int exit_status(const struct record *r, struct err *err)
{
	if (err)
		return opts_fail(err);
	return r->recording.end == RECORDING_DENIED ? EXIT_PERMISSION : EXIT_OK;
}

/* Ends as the command ends, whatever became of the recording. */
static void end_with_command(struct record *r, struct err *err)
{
	if (err)
		opts_fail(err);
	fflush(NULL);
	while (!r->recording.spawn->ended)
		spawn_wait(r->recording.spawn);
	spawn_exit_alike(r->recording.spawn);
}

static void record_deinit(struct record *r)
{
	struct recording_counts counts;

	recording_count(&r->recording, &counts);
	recording_deinit(&r->recording);
	spool_close(&r->spool, !counts.samples);
	rotation_deinit(&r->rotation);
	buf_deinit(&r->command_line);
	buf_deinit(&r->cwd);
	free(r->default_path);
	free(r->default_capture);
}

static struct err *record(struct record *r)
{
	struct err *err = recording_run(&r->recording);

	record_copy_end(r, true);
	signals_give_up_requests();
	if (err) {
		outputs_abort(&r->outputs);
		spool_close(&r->spool, true);
		return err;
	}
	if (!r->recording.quiet)
		recording_summary(&r->recording);
	return finish(r);
}

/* ---- pieces, copies, pauses ------------------------------------------------------------------- */

#define RETRY_NS NS_PER_SEC

static void begin_piece(struct record *r)
{
	struct rotation *files = &r->rotation;
	const char *path;
	int fd;
	struct err *err = rotation_open(files, &fd, &path);

	if (!err) {
		err = spool_next(&r->spool, fd, path);
		files->failed = false;
		rotation_trim(files);
	}
	if (!err)
		return;
	// what there is goes on
	files->due_ns = clock_now_ns() + RETRY_NS;
	if (!files->failed)
		fprintf(stderr, "fireglass: %s; trying again every second\n", err->message);
	files->failed = true;
	err_free(err);
}

static void turn(void *data)
{
	struct record *r = data;

	record_copy_end(r, false);
	// one that is asked for while another is written comes after it
	if (!r->copy.running && signals_take_dump_asked())
		record_copy_begin(r);
	if (signals_take_pause_asked())
		recording_pause(&r->recording, !r->recording.pause_asked);
	if (r->rotation.every_ns && r->recording.started_ns &&
		clock_now_ns() >= r->rotation.due_ns)
		begin_piece(r);
}

static void prepare(struct record *r)
{
	describe_target(r);
	spool_describe(&r->spool, &r->recording, buf_str(&r->command_line), buf_str(&r->cwd),
		r->argc, r->argv);
	r->recording.sink = &r->spool.sink;
	r->recording.capture = &r->spool.capture;
	r->recording.process = r->spool.process;
	r->recording.turn = turn;
	r->recording.turn_data = r;
}

static int record_run(const struct command *command, int argc, char **argv)
{
	_cleanup_(record_deinit) struct record r = {
		.recording.period_ns = DEFAULT_PERIOD_NS,
		.spool.fd = -1,
		.argc = argc,
		.argv = argv,
	};
	struct signals_inherited inherited;
	struct spawn spawn = { 0 };
	int rest;
	struct err *err = opts_parse(command, argc, argv, &r, &rest);

	if (!err)
		err = record_check(&r, rest, argv);
	if (!err)
		err = record_open_outputs(&r);
	if (err)
		return opts_fail(err);
	signals_install(&inherited);
	if (!r.pass_signals)
		signals_take_requests();
	if (r.command)
		err = launch(&r, &spawn, &inherited);
	if (err) {
		outputs_abort(&r.outputs);
		drop_empty_piece(&r);
		opts_fail(err);
		return spawn_exit_code(&spawn);
	}
	err = record_open_first(&r);
	if (err)
		end_with_command(&r, err);
	prepare(&r);
	err = record(&r);
	if (r.command)
		end_with_command(&r, err);
	return exit_status(&r, err);
}

const struct command command_record = {
	.name = "record",
	.summary = "Record where a Python program spends its time.",
	.usage = "  fireglass record [OPTIONS] -p PID\n"
		 "  fireglass record [OPTIONS] [--] COMMAND [ARGUMENTS...]",
	.examples = "  fireglass record -p 4711 -d 10 -o out.html\n"
		    "  fireglass record -o out.html -- python app.py --port 8000\n"
		    "  fireglass record -p 4711 -d 10 -f folded -o - | awk '{print $NF, $0}' | sort -rn | head\n"
		    "  fireglass record --children --every 60s --files 10 -o run-%t.fgc -- gunicorn app\n"
		    "  fireglass record -x -t -r 10khz -o busy.svg -o busy.folded -- python job.py",
	.options = record_options,
	.run = record_run,
};
