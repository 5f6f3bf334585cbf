// SPDX-License-Identifier: MIT
/* fireglass doctor: which gate would refuse, and what to do about it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/commands.h"
#include "os/gates.h"
#include "sample/target.h"

static const struct opt doctor_options[] = {
	{ 0 },
};

static const char *verdict_name(enum gate_verdict verdict)
{
	static const char *const names[] = {
		[GATE_OPEN] = "ok",
		[GATE_SHUT] = "SHUT",
		[GATE_UNKNOWN] = "?",
	};

	return names[verdict];
}

static void print_line(const char *verdict, const char *name, const char *found)
{
	bool colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	const char *colour = *verdict == 'o' ? "\033[32m" : *verdict == '?' ? "\033[33m" : "\033[31m";

	printf("%s%-4s%s  %-22s  %s\n", colours ? colour : "", verdict, colours ? "\033[0m" : "",
		name, found);
}

static bool print_gates(pid_t pid)
{
	struct gates gates;
	bool open = true;

	gates_check(&gates, pid);
	for (size_t i = 0; i < gates.count; i++) {
		const struct gate_result *g = &gates.results[i];

		print_line(verdict_name(g->verdict), g->name, g->found);
		if (g->verdict != GATE_SHUT)
			continue;
		open = false;
		if (g->remedy)
			printf("%30s-> %s\n", "", g->remedy);
	}
	gates_deinit(&gates);
	return open;
}

static int print_python(pid_t pid)
{
	_cleanup_(target_deinit) struct target target;
	_cleanup_buf_ struct buf found = BUF_INIT;
	bool ready = false;
	struct err *err = target_attach(&target, pid, &ready);

	if (err) {
		int status = opts_status(err->kind);

		print_line("SHUT", "Python", err->message);
		err_free(err);
		return status;
	}
	runtime_version(&target.rt, &target.live.reader, &found);
	if (target.rt.layout.free_threaded)
		buf_add_str(&found, ", free-threaded");
	if (target.rt.guessed)
		buf_add_str(&found, ", newer than this fireglass: read as it describes itself");
	if (!ready)
		buf_add_str(&found, ", but no interpreter is running in it");
	print_line(ready ? "ok" : "SHUT", "Python", buf_str(&found));
	return ready ? EXIT_OK : EXIT_NOT_PYTHON;
}

/* A gate is shut: a process that does not exist is another matter than one that may not be read. */
static int shut_status(pid_t pid)
{
	if (!pid)
		return EXIT_PERMISSION;
	struct err *err = gates_explain(pid);
	int status = opts_status(err->kind);

	err_free(err);
	return status;
}

static int doctor_run(const struct command *command, int argc, char **argv)
{
	int rest, pid = 0;
	struct err *err = opts_parse(command, argc, argv, NULL, &rest);

	if (!err && argv[rest])
		err = opts_parse_pid(argv[rest++], &pid);
	if (!err && argv[rest])
		err = err_new(ERR_USAGE, "unexpected argument '%s'", argv[rest]);
	if (err)
		return opts_fail(err);
	if (!print_gates(pid))
		return shut_status(pid);
	return pid ? print_python(pid) : EXIT_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "Check what stands between fireglass and a process, one line per gate.",
	.usage = "  fireglass doctor [PID]",
	.examples = "  fireglass doctor\n"
		    "  fireglass doctor 4711",
	.options = doctor_options,
	.run = doctor_run,
};
