// SPDX-License-Identifier: MIT
/* fireglass serve: a running program's profile for browsers, scripts and collectors, over HTTP. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/iofd.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/serve.h"
#include "cmd/signals.h"
#include "os/proc.h"

#define COMMAND_LINE_BYTES 4096
#define DEFAULT_LISTEN "127.0.0.1:7070"
#define DEFAULT_PERIOD_NS ((uint64_t)NS_PER_SEC / 100)
#define DEFAULT_KEEP_NS ((uint64_t)600 * NS_PER_SEC)
#define DEFAULT_RING_BYTES ((uint64_t)64 << 20)
#define DEFAULT_DISK_BYTES ((uint64_t)1 << 30)
#define DEFAULT_CLIENTS 256
#define DEFAULT_REQUESTS 100
#define IDLE_SECONDS 30
/* Answers that are under way at the end may take so long. */
#define GRACE_NS ((uint64_t)3 * NS_PER_SEC)
#define TOKEN_BYTES 16
#define TOKEN_SHORTEST 16
#define TOKEN_LONGEST 256

struct serve_command {
	struct serve serve;
	struct spawn spawn;
	const char *listen, *token_file;
	const char *given_token;
	bool no_token, stay;
	char *token; // made up or read
	unsigned int max_clients;
	char **command; // NULL: attach
	struct buf cwd;
	int argc;
	char **argv;
};

/* ---- options ---------------------------------------------------------------------------------- */

static struct err *set_pid(void *settings, const char *value)
{
	return opts_parse_pid(value, &((struct serve_command *)settings)->serve.recording.pid);
}

static struct err *set_rate(void *settings, const char *value)
{
	return units_parse_rate(
		value, &((struct serve_command *)settings)->serve.recording.period_ns);
}

static struct err *set_keep(void *settings, const char *value)
{
	return units_parse_duration(
		value, &((struct serve_command *)settings)->serve.limits.max_age_ns);
}

static struct err *set_max_size(void *settings, const char *value)
{
	return units_parse_size(
		value, &((struct serve_command *)settings)->serve.limits.max_bytes);
}

static struct err *set_max_disk(void *settings, const char *value)
{
	return units_parse_size(
		value, &((struct serve_command *)settings)->serve.store.max_bytes);
}

static struct err *set_host(void *settings, const char *value)
{
	struct guard_names *names = &((struct serve_command *)settings)->serve.names;

	if (names->count == GUARD_NAMES_MAX)
		return err_new(ERR_USAGE, "more than %d --host", GUARD_NAMES_MAX);
	if (!*value || strpbrk(value, ":/[]@ "))
		return err_new(ERR_USAGE, "bad name '%s'; give a host's name without port", value);
	names->names[names->count++] = value;
	return NULL;
}

static struct err *parse_count(
	const char *what, const char *value, unsigned int most, unsigned int *ret)
{
	char *end;
	unsigned long count = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || !count || count > most)
		return err_new(ERR_USAGE, "bad %s '%s'; from 1 to %u", what, value, most);
	*ret = (unsigned int)count;
	return NULL;
}

static struct err *set_max_clients(void *settings, const char *value)
{
	return parse_count("number of clients", value, 4096,
		&((struct serve_command *)settings)->max_clients);
}

static struct err *set_max_requests(void *settings, const char *value)
{
	struct guard_rate *rate = &((struct serve_command *)settings)->serve.rate;

	return parse_count("number of requests", value, 1000000, &rate->per_second);
}

#define TEXT(name, field)                                                                          \
	static struct err *set_##name(void *settings, const char *value)                           \
	{                                                                                          \
		((struct serve_command *)settings)->field = value;                                 \
		return NULL;                                                                       \
	}

#define FLAG(name, field, what)                                                                    \
	static struct err *set_##name(void *settings, const char *value)                           \
	{                                                                                          \
		(void)value;                                                                       \
		((struct serve_command *)settings)->field = what;                                  \
		return NULL;                                                                       \
	}

TEXT(listen, listen)
TEXT(token, given_token)
TEXT(token_file, token_file)
TEXT(dir, serve.store.path)
FLAG(no_token, no_token, true)
FLAG(stay, stay, true)
FLAG(children, serve.recording.children, true)
FLAG(exact, serve.recording.strategy, LADDER_EXACT)
FLAG(no_realtime, serve.recording.no_realtime, true)
FLAG(no_source, serve.no_source, true)

static const struct opt serve_options[] = {
	{ 'p', "pid", "PID", "the process to look at", set_pid },
	{ 'l', "listen", "ADDRESS", "where to listen: 127.0.0.1:7070 (the default), port 0 for\n"
		"any free one, [::1]:7070, unix:/path/of/socket; an address\n"
		"that others can reach needs --token or --token-file", set_listen },
	{ 0, "token", "TEXT", "what requests must have, 16 characters or more; for a moment\n"
		"others can see it in the list of processes: prefer\n"
		"--token-file. Default: made up and printed", set_token },
	{ 0, "token-file", "FILE", "a file with the token in its first line", set_token_file },
	{ 0, "no-token", NULL, "none is needed; only for addresses of this machine, where\n"
		"all its users can ask then. A unix socket is for its owner\n"
		"only, and needs none anyway", set_no_token },
	{ 0, "host", "NAME", "a name under which it may be asked, beside localhost and\n"
		"addresses in numbers; may be given more than once", set_host },
	{ 'r', "rate", "RATE", "samples per second, or the time between two: 100 (the\n"
		"default), 1khz, 5ms", set_rate },
	{ 0, "children", NULL, "also the Python programs that it starts", set_children },
	{ 0, "keep", "TIME", "how much of the time before is kept: 10m (the default)", set_keep },
	{ 0, "max-size", "SIZE", "memory for it at most: 64M (the default)", set_max_size },
	{ 0, "dir", "DIRECTORY", "where captures are saved; without it none can be", set_dir },
	{ 0, "max-disk", "SIZE", "of all captures there at most: 1G (the default)", set_max_disk },
	{ 0, "max-clients", "N", "connections at once: 256 (the default)", set_max_clients },
	{ 0, "max-requests", "N", "a second, more are refused: 100 (the default)",
		set_max_requests },
	{ 0, "no-source", NULL, "no source files in pages", set_no_source },
	{ 0, "stay", NULL, "go on answering when the program has ended, until Ctrl-C", set_stay },
	{ 0, "exact", NULL, "stop a thread for a moment (ptrace) where its stack cannot\n"
		"be read truly otherwise, rather than truncate it", set_exact },
	{ 0, "no-realtime", NULL, "do not ask for real-time priority, which keeps the clock when\n"
		"the processors are busy", set_no_realtime },
	{ 0 },
};

static struct err *check_token_options(struct serve_command *c, bool local)
{
	if ((c->given_token != NULL) + (c->token_file != NULL) + c->no_token > 1)
		return err_new(ERR_USAGE, "give one of --token, --token-file and --no-token");
	if (local || c->given_token || c->token_file)
		return NULL;
	return err_new(ERR_USAGE,
		"others can reach '%s': give --token-file FILE (or --token), which they then need; "
		"without it fireglass serves this machine only",
		c->listen);
}

static struct err *check(struct serve_command *c, int rest, char **argv)
{
	struct recording *r = &c->serve.recording;
	bool local;

	if (argv[rest])
		c->command = argv + rest;
	if (!c->command && !r->pid)
		return err_new(ERR_USAGE, "what to look at? give -p PID, or -- COMMAND");
	if (c->command && r->pid)
		return err_new(ERR_USAGE, "give either -p PID or a command, not both");
	if (r->pid == getpid())
		return err_new(ERR_USAGE, "process %d is fireglass itself", (int)getpid());
	struct err *err = listen_is_local(c->listen, &local);
	if (!err)
		err = check_token_options(c, local);
	c->serve.names.any_address = !err && !local;
	return err;
}

/* ---- the token -------------------------------------------------------------------------------- */

static struct err *read_token_file(const char *path, char **ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int errnum = iofd_read_file(path, TOKEN_LONGEST + 2, &text);

	if (errnum) {
		struct err *err = err_errno(errnum, "cannot read the token in '%s'", path);
		err->kind = ERR_FAILED;
		return err;
	}
	*ret = xstrndup(buf_str(&text), strcspn(buf_str(&text), "\r\n"));
	return NULL;
}

/* What can stand in an address and in a header as it is. */
static struct err *check_token(const char *token)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._~-";
	size_t len = strlen(token);

	if (len < TOKEN_SHORTEST || len > TOKEN_LONGEST || strspn(token, allowed) != len)
		return err_new(ERR_USAGE, "bad token; %d to %d letters, digits and . _ ~ -",
			TOKEN_SHORTEST, TOKEN_LONGEST);
	return NULL;
}

static struct err *make_token(char **ret)
{
	unsigned char bytes[TOKEN_BYTES];
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_errno(errno, "cannot make up a token");
	for (size_t i = 0; i < sizeof(bytes); i++)
		buf_printf(&text, "%02x", bytes[i]);
	*ret = xstrdup(buf_str(&text));
	return NULL;
}

/* Takes it out of the command line, which captures have and the list of processes shows. */
static char *take_given(struct serve_command *c)
{
	char *token = xstrdup(c->given_token);

	for (int i = 0; i < c->argc; i++) {
		size_t len = strlen(c->argv[i]);

		if (c->given_token >= c->argv[i] && c->given_token <= c->argv[i] + len)
			memset(c->argv[i] + (c->given_token - c->argv[i]), '*', strlen(token));
	}
	return token;
}

static struct err *choose_token(struct serve_command *c)
{
	struct err *err = NULL;

	if (c->token_file)
		err = read_token_file(c->token_file, &c->token);
	else if (c->given_token)
		c->token = take_given(c);
	else if (!c->no_token && !c->serve.listener.is_unix)
		err = make_token(&c->token);
	if (!err && c->token)
		err = check_token(c->token);
	c->serve.token = c->token;
	return err;
}

/* ---- life ------------------------------------------------------------------------------------- */

static void describe_command(struct serve_command *c)
{
	_cleanup_buf_ struct buf arguments = BUF_INIT;

	if (!c->command) {
		proc_command_line(c->serve.recording.pid, COMMAND_LINE_BYTES,
			&c->serve.command_line);
		return;
	}
	for (char **arg = c->command; *arg; arg++)
		buf_add(&arguments, *arg, strlen(*arg) + 1);
	proc_quote_arguments(buf_str(&arguments), arguments.len, COMMAND_LINE_BYTES,
		&c->serve.command_line);
}

static struct err *start_server(struct serve_command *c)
{
	const struct http_options options = {
		.fd = c->serve.listener.fd,
		.max_clients = c->max_clients,
		.idle_seconds = IDLE_SECONDS,
		.handle = serve_handle,
		.data = &c->serve,
	};

	return http_server_start(&c->serve.server, &options);
}

/* Everything that may fail, before the command is started. */
static struct err *open_all(struct serve_command *c)
{
	struct serve *s = &c->serve;
	struct err *err = serve_store_open(&s->store);

	if (!err)
		err = listen_open(&s->listener, c->listen);
	if (!err)
		err = choose_token(c);
	if (!err)
		err = spool_open(&s->spool, NULL, &s->limits);
	if (err)
		return err;
	describe_command(c);
	serve_init(s);
	return start_server(c);
}

static struct err *launch(struct serve_command *c, const struct signals_inherited *inherited)
{
	struct err *err = spawn_start(
		&c->spawn, c->command, &inherited->mask, &inherited->ignored);

	if (err)
		return err;
	signals_forward_to(c->spawn.pid);
	c->serve.recording.spawn = &c->spawn;
	c->serve.recording.pid = c->spawn.pid;
	return NULL;
}

static void turn(void *data)
{
	serve_turn(data, false);
}

static void prepare(struct serve_command *c)
{
	struct serve *s = &c->serve;

	proc_link(s->recording.pid, "cwd", &c->cwd);
	spool_describe(&s->spool, &s->recording, buf_str(&s->command_line), buf_str(&c->cwd),
		c->argc, c->argv);
	s->recording.sink = &s->sink;
	s->recording.capture = &s->spool.capture;
	s->recording.process = s->spool.process;
	s->recording.turn = turn;
	s->recording.turn_data = s;
}

static void say_where(const struct serve_command *c)
{
	const struct serve *s = &c->serve;

	if (s->listener.is_unix)
		fprintf(stderr, "fireglass: serving unix:%s\n", s->listener.authority);
	else
		fprintf(stderr, "fireglass: serving http://%s/%s%s\n", s->listener.authority,
			s->token ? "?token=" : "", s->token ? s->token : "");
	fflush(stderr);
}

/* The program has ended: what there was can be asked for until somebody has seen enough. */
static void linger(struct serve_command *c)
{
	fprintf(stderr, "fireglass: the program has ended; Ctrl-C ends this too\n");
	while (!signals_stop_asked()) {
		serve_turn(&c->serve, true);
		clock_sleep_until(clock_now_ns() + NS_PER_SEC / 20);
	}
}

static struct err *run(struct serve_command *c)
{
	struct recording *r = &c->serve.recording;
	struct err *err = recording_run(r);

	if (err)
		return err;
	serve_turn(&c->serve, true);
	if (c->stay && r->end == RECORDING_TARGET_ENDED) {
		// nobody is there any more whom signals could be passed on to
		signals_forward_to(0);
		linger(c);
	}
	return NULL;
}

/* Clients first: they hold on to all the rest. */
static void serve_command_deinit(struct serve_command *c)
{
	struct serve *s = &c->serve;

	serve_deinit(s);
	listen_close(&s->listener);
	recording_deinit(&s->recording);
	spool_close(&s->spool, true);
	serve_store_close(&s->store);
	buf_deinit(&s->command_line);
	buf_deinit(&c->cwd);
	free(c->token);
}

/* Ends as the command ends, whatever became of the rest. */
static void end_with_command(struct serve_command *c)
{
	fflush(NULL);
	while (!c->spawn.ended)
		spawn_wait(&c->spawn);
	spawn_exit_alike(&c->spawn);
}

static int exit_status(const struct serve_command *c, struct err *err)
{
	if (err)
		return opts_fail(err);
	return c->serve.recording.end == RECORDING_DENIED ? EXIT_PERMISSION : EXIT_OK;
}

static struct err *serve(struct serve_command *c, const struct signals_inherited *inherited)
{
	struct err *err = open_all(c);

	if (!err && c->command)
		err = launch(c, inherited);
	if (err)
		return err;
	prepare(c);
	say_where(c);
	err = run(c);
	// until then requests ask it for its counts
	http_server_stop(c->serve.server, GRACE_NS);
	c->serve.server = NULL;
	return err;
}

static int serve_run(const struct command *command, int argc, char **argv)
{
	struct serve_command c = {
		.serve.recording = { .period_ns = DEFAULT_PERIOD_NS, .quiet = true },
		.serve.limits = { .max_age_ns = DEFAULT_KEEP_NS, .max_bytes = DEFAULT_RING_BYTES },
		.serve.store = { .fd = -1, .max_bytes = DEFAULT_DISK_BYTES },
		.serve.rate = { .per_second = DEFAULT_REQUESTS },
		.serve.listener.fd = -1,
		.serve.spool.fd = -1,
		.listen = DEFAULT_LISTEN,
		.max_clients = DEFAULT_CLIENTS,
		.argc = argc,
		.argv = argv,
	};
	struct signals_inherited inherited;
	int rest;
	struct err *err = opts_parse(command, argc, argv, &c, &rest);

	if (!err)
		err = check(&c, rest, argv);
	if (err)
		return opts_fail(err);
	signals_install(&inherited);
	// a client that hangs up is no reason to end
	signal(SIGPIPE, SIG_IGN);
	err = serve(&c, &inherited);
	bool launched = c.spawn.pid > 0 && !c.spawn.exec_errno;
	int status = exit_status(&c, err);
	if (c.spawn.exec_errno)
		status = spawn_exit_code(&c.spawn);
	serve_command_deinit(&c);
	if (launched)
		end_with_command(&c);
	return status;
}

const struct command command_serve = {
	.name = "serve",
	.summary = "Serve the live profile of a Python program over HTTP: page, API, pprof, metrics.",
	.usage = "  fireglass serve [OPTIONS] -p PID\n"
		 "  fireglass serve [OPTIONS] [--] COMMAND [ARGUMENTS...]",
	.examples =
		"  fireglass serve -p 4711                         prints the address of the page\n"
		"  fireglass serve --no-token -- python3 app.py\n"
		"  go tool pprof 'http://127.0.0.1:7070/debug/pprof/profile?seconds=5'\n"
		"  curl 'http://127.0.0.1:7070/api/v1/profile?seconds=10&format=svg&mode=cpu' > cpu.svg\n"
		"  fireglass serve --listen unix:/run/app.fireglass -p 4711",
	.options = serve_options,
	.run = serve_run,
};
