// SPDX-License-Identifier: MIT
/* fireglass top: what a Python program does now, in a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/commands.h"
#include "cmd/signals.h"
#include "cmd/top_command.h"
#include "cmd/top_stderr.h"
#include "os/proc.h"

#define COMMAND_LINE_BYTES 4096
#define DEFAULT_PERIOD_NS 1000000
#define DEFAULT_KEEP_NS ((uint64_t)600 * NS_PER_SEC)
#define DEFAULT_KEEP_BYTES ((uint64_t)64 << 20)
/* How long a command that was told to end is waited for in silence, and until it is told so again. */
#define PATIENCE_NS ((uint64_t)NS_PER_SEC / 2)
#define END_NS ((uint64_t)3 * NS_PER_SEC)
/* Lines of its output that are shown when a command has failed. */
#define LAST_LINES 12

/* ---- the command ------------------------------------------------------------------------------ */

static struct err *open_stdin(const struct top_command *t, int *fd_ret)
{
	const char *path = t->stdin_path ? t->stdin_path : "/dev/null";

	if (strcmp(path, "-") == 0) {
		*fd_ret = -1;
		return NULL;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		struct err *err = err_errno(errno, "cannot read '%s'", path);
		err->kind = ERR_FAILED;
		return err;
	}
	*fd_ret = fd;
	return NULL;
}

/* It has a session of its own: neither what it writes nor what it asks comes to the terminal. */
static struct err *launch(struct top_command *t, const struct signals_inherited *inherited)
{
	_cleanup_close_ int in = -1;
	struct err *err = open_stdin(t, &in);

	if (err)
		return err;
	const struct spawn_apart apart = {
		.in = in, .out = t->output.fd, .err = t->output.fd, .session = true
	};
	err = spawn_start_apart(
		&t->spawn, t->command, &inherited->mask, &inherited->ignored, &apart);
	if (err)
		return err;
	t->recording.spawn = &t->spawn;
	t->recording.pid = t->spawn.pid;
	return NULL;
}

static bool command_runs(struct top_command *t)
{
	return t->command && t->spawn.pid > 0 && !spawn_poll(&t->spawn);
}

/* False if it goes on, or Ctrl-C says that it is not to be waited for. */
static bool wait_for_command(struct top_command *t, uint64_t wait_ns, bool asked_before)
{
	uint64_t deadline = clock_now_ns() + wait_ns;

	while (command_runs(t) && clock_now_ns() < deadline &&
		(asked_before || !signals_stop_asked()))
		clock_sleep_until(clock_now_ns() + NS_PER_SEC / 100);
	return !command_runs(t);
}

/* As Ctrl-C would; then as kill does. Who does not listen is left alone. */
static void end_command(struct top_command *t)
{
	bool asked_before = signals_stop_asked();

	if (!command_runs(t))
		return;
	kill(-t->spawn.pid, SIGINT);
	if (wait_for_command(t, PATIENCE_NS, asked_before))
		return;
	fprintf(stderr, "fireglass: waiting for the program to end; Ctrl-C: not any longer\n");
	if (wait_for_command(t, END_NS, asked_before))
		return;
	kill(-t->spawn.pid, SIGTERM);
	if (!wait_for_command(t, END_NS, asked_before))
		fprintf(stderr, "fireglass: process %d goes on\n", (int)t->spawn.pid);
}

static char *how_it_ended(struct top_command *t)
{
	if (t->recording.end == RECORDING_DENIED)
		return xstrdup("reading it is refused now");
	if (!t->command)
		return xstrdup("the process has ended");
	spawn_wait(&t->spawn);
	if (WIFSIGNALED(t->spawn.status)) {
		const char *name = sigabbrev_np(WTERMSIG(t->spawn.status));

		return name ? xasprintf("killed by SIG%s", name)
			    : xasprintf("killed by signal %d", WTERMSIG(t->spawn.status));
	}
	return xasprintf("exited with status %d", WEXITSTATUS(t->spawn.status));
}

/* ---- what the terminal asks for --------------------------------------------------------------- */

static void fill(void *data, const struct top_query *query, struct top_frame *frame)
{
	top_model_fill(&((struct top_command *)data)->model, query, frame);
}

static char *save(void *data, uint64_t window_ns, bool html)
{
	struct top_command *t = data;

	return top_save_begin(
		&t->save, &t->spool, t->name, top_model_now_ns(&t->model) - window_ns, html);
}

static void pause_sampling(void *data, bool paused)
{
	struct top_command *t = data;

	recording_pause(&t->recording, paused);
	top_model_pause(&t->model, paused);
}

static void reset(void *data)
{
	top_model_reset(&((struct top_command *)data)->model);
}

static void note_saved(struct top_command *t, bool wait)
{
	_cleanup_free_ char *notice = top_save_end(&t->save, wait);

	if (!notice)
		return;
	top_model_notice(&t->model, notice);
	buf_printf(&t->saved, "fireglass: %s\n", notice);
}

/* Between two looks into the ring. */
static void turn(void *data)
{
	struct top_command *t = data;
	uint64_t now = clock_now_ns();

	note_saved(t, false);
	top_model_turn(&t->model, now);
	top_turn(t->top, now);
	if (top_is_over(t->top))
		recording_stop(&t->recording);
}

/* The program has ended: what there was can be looked at. */
static void linger(struct top_command *t)
{
	_cleanup_free_ char *how = how_it_ended(t);

	t->ended_itself = true;
	top_model_end(&t->model, how);
	while (!top_is_over(t->top) && !signals_stop_asked()) {
		struct pollfd keys = { .fd = top_fd(t->top), .events = POLLIN };
		uint64_t now = clock_now_ns(), due = top_due_ns(t->top);
		uint64_t wait_ms = due > now ? (due - now) / 1000000 + 1 : 0;

		poll(&keys, 1, wait_ms < 250 ? (int)wait_ms : 250);
		turn(t);
	}
}

/* ---- life ------------------------------------------------------------------------------------- */

static void describe_target(struct top_command *t)
{
	_cleanup_buf_ struct buf arguments = BUF_INIT;

	proc_link(t->recording.pid, "cwd", &t->cwd);
	if (!t->command) {
		proc_command_line(t->recording.pid, COMMAND_LINE_BYTES, &t->command_line);
		t->name = xasprintf("%d", (int)t->recording.pid);
		return;
	}
	for (char **arg = t->command; *arg; arg++)
		buf_add(&arguments, *arg, strlen(*arg) + 1);
	proc_quote_arguments(
		buf_str(&arguments), arguments.len, COMMAND_LINE_BYTES, &t->command_line);
	const char *slash = strrchr(t->command[0], '/');
	t->name = xstrdup(slash ? slash + 1 : t->command[0]);
}

static void prepare(struct top_command *t)
{
	describe_target(t);
	spool_describe(&t->spool, &t->recording, buf_str(&t->command_line), buf_str(&t->cwd),
		t->argc, t->argv);
	t->model.command = buf_str(&t->command_line);
	t->model.pid = (uint32_t)t->recording.pid;
	t->recording.sink = &t->model.sink;
	t->recording.capture = &t->spool.capture;
	t->recording.process = t->spool.process;
	t->recording.turn = turn;
	t->recording.turn_data = t;
}

static void init_model(struct top_command *t)
{
	t->model.capture = &t->spool.capture;
	t->model.next = &t->spool.sink;
	t->model.files = &t->spool.files;
	t->model.output = t->command ? &t->output : NULL;
	t->model.period_ns = t->recording.period_ns;
	t->model.command = "";
	top_model_init(&t->model);
}

/* Everything that may fail, before the command is started. */
static struct err *open_all(struct top_command *t)
{
	const struct top_host host = { t, fill, save, pause_sampling, reset };
	struct err *err = spool_open(&t->spool, NULL, &t->limits);

	if (!err && t->command)
		err = top_output_open(&t->output, t->output_path);
	if (err)
		return err;
	init_model(t);
	// before: at exit() the terminal is given back first
	top_stderr_keep();
	return top_open(&t->top, &t->options, &host);
}

static void close_screen(struct top_command *t)
{
	if (t->top)
		top_close(t->top);
	t->top = NULL;
	top_stderr_give_back();
}

static void show_last_lines(struct top_command *t)
{
	top_output_read(&t->output);
	size_t count = t->output.count;

	for (size_t i = count > LAST_LINES ? count - LAST_LINES : 0; i < count; i++)
		fprintf(stderr, "%s\n", top_output_line(&t->output, i)->text);
}

/* What is worth saying when the screen is gone. */
static void tell(struct top_command *t)
{
	bool failed = t->command && t->spawn.ended && spawn_exit_code(&t->spawn) != 0;

	if (failed && (t->ended_itself || !t->model.samples))
		show_last_lines(t);
	fputs(buf_str(&t->saved), stderr);
	if (t->model.how)
		fprintf(stderr, "fireglass: %s %s\n", t->command ? t->command[0] : "",
			t->model.how);
}

static void top_command_deinit(struct top_command *t)
{
	free(top_save_end(&t->save, true));
	recording_deinit(&t->recording);
	top_model_deinit(&t->model);
	spool_close(&t->spool, true);
	top_output_close(&t->output);
	buf_deinit(&t->command_line);
	buf_deinit(&t->cwd);
	buf_deinit(&t->saved);
	free(t->name);
}

static int exit_status(const struct top_command *t, struct err *err)
{
	if (err)
		return opts_fail(err);
	if (t->recording.end == RECORDING_DENIED)
		return EXIT_PERMISSION;
	return t->ended_itself && t->command ? spawn_exit_code(&t->spawn) : EXIT_OK;
}

static struct err *run(struct top_command *t)
{
	struct err *err = recording_run(&t->recording);

	if (!err && t->recording.end != RECORDING_STOPPED && !top_is_over(t->top))
		linger(t);
	// the user has seen enough
	if (err && top_is_over(t->top)) {
		err_free(err);
		err = NULL;
	}
	note_saved(t, true);
	return err;
}

static int top_run(const struct command *command, int argc, char **argv)
{
	_cleanup_(top_command_deinit) struct top_command t = {
		.recording = { .period_ns = DEFAULT_PERIOD_NS, .quiet = true },
		.limits = { .max_age_ns = DEFAULT_KEEP_NS, .max_bytes = DEFAULT_KEEP_BYTES },
		.options = { .refresh_ns = NS_PER_SEC, .window_ns = 15 * (uint64_t)NS_PER_SEC },
		.spool.fd = -1,
		.output.fd = -1,
		.save.fd = -1,
		.argc = argc,
		.argv = argv,
	};
	struct signals_inherited inherited;
	int rest;
	struct err *err = opts_parse(command, argc, argv, &t, &rest);

	if (!err)
		err = top_check_options(&t, rest, argv);
	if (err)
		return opts_fail(err);
	signals_install(&inherited);
	err = open_all(&t);
	if (!err && t.command)
		err = launch(&t, &inherited);
	if (!err) {
		prepare(&t);
		err = run(&t);
	}
	close_screen(&t);
	end_command(&t);
	tell(&t);
	return exit_status(&t, err);
}

const struct command command_top = {
	.name = "top",
	.summary = "Show what a Python program is doing now, in the terminal.",
	.usage = "  fireglass top [OPTIONS] -p PID\n"
		 "  fireglass top [OPTIONS] [--] COMMAND [ARGUMENTS...]",
	.examples = "  fireglass top -p 4711\n"
		    "  fireglass top -- python3 app.py --port 8000\n"
		    "  fireglass top --mode cpu --window 1m -p 4711\n"
		    "  fireglass top --output app.log --stdin input.txt -- python3 job.py",
	.options = top_options,
	.run = top_run,
};
