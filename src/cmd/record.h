// SPDX-License-Identifier: MIT
/*
 * fireglass record, in parts:
 *
 *	record.c          its life: what is launched or attached to, the recording, the end
 *	record_options.c  options, and where to write
 *	record_copy.c     what there is so far, on SIGUSR1
 */
#ifndef FIREGLASS_CMD_RECORD_H
#define FIREGLASS_CMD_RECORD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cmd/outputs.h"
#include "cmd/recording.h"
#include "cmd/rotation.h"
#include "cmd/selecting.h"
#include "cmd/spool.h"

#define CAPTURE_FORMAT "fgc"

/* What was recorded so far, being written beside the outputs by a thread of its own. */
struct record_copy {
	unsigned int number; // of the newest
	bool running;
	pthread_t thread;
	atomic_bool done;
	int fd;              // the capture so far
	char *capture_path;  // NULL: no capture is to be written
	char *paths[OUTPUTS_MAX];
	struct outputs outputs;
	struct err *err;
};

struct record {
	struct selecting selecting; // first: see selecting.h; what is shown, not what is recorded
	struct recording recording;
	struct outputs outputs;
	const char *capture_path; // NULL: no capture is to be kept
	const struct exporter *format;
	bool capture_format;
	bool timestamps;
	bool pass_signals; // SIGUSR1 and SIGUSR2 are for the command
	struct capture_writer_options limits;
	struct rotation rotation;
	struct spool spool;
	struct record_copy copy;
	char **command; // NULL: attach
	struct buf command_line, cwd;
	char *default_path, *default_capture;
	int argc;
	char **argv;
};

extern const struct opt record_options[];

/* After the options: do they make sense together? argv[rest] is the command, if any. */
struct err *record_check(struct record *r, int rest, char **argv);

/* Opens the outputs, and the capture, unless that is cut into pieces. */
struct err *record_open_outputs(struct record *r);

/* With --every, once the process is known: the first piece. */
struct err *record_open_first(struct record *r);

/* Writes `outputs` from the capture. */
struct err *record_write(
	struct record *r, struct outputs *outputs, const struct file_root *files, const struct input *in);

/* Begins to write a copy; one that is running is waited for first. From the collecting thread. */
void record_copy_begin(struct record *r);

/* Says what became of it, if it is done; with `wait`, in any case. */
void record_copy_end(struct record *r, bool wait);

#endif
