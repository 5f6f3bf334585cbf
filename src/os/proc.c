// SPDX-License-Identifier: MIT
#include "os/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "base/utf8.h"

#define STAT_TEXT_MAX 2048                // 52 numbers and a name
#define SYSCALL_TEXT_MAX 256              // 9 numbers
#define STATUS_TEXT_MAX ((size_t)1 << 20) // a process may be in 65536 groups

/* Takes blanks and a decimal number. */
static bool take_u64(const char **at, uint64_t *ret)
{
	const char *p = *at + strspn(*at, " \t");
	uint64_t value = 0;

	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		unsigned int digit = (unsigned int)(*p - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*at = p;
	*ret = value;
	return true;
}

static bool take_int(const char **at, int *ret)
{
	uint64_t value;

	if (!take_u64(at, &value) || value > INT_MAX)
		return false;
	*ret = (int)value;
	return true;
}

/* Passes over `count` words. */
static bool skip_words(const char **at, unsigned int count)
{
	for (; count; count--) {
		*at += strspn(*at, " ");
		size_t len = strcspn(*at, " \n");
		if (len == 0)
			return false;
		*at += len;
	}
	return true;
}

/* The words after the name; field numbers as in proc(5). */
static bool parse_stat_words(const char *at, struct proc_stat *s)
{
	if (at[0] != ' ' || !isalpha((unsigned char)at[1]) || at[2] != ' ')
		return false;
	s->state = at[1]; // 3
	at += 2;
	return take_int(&at, &s->ppid) && take_int(&at, &s->pgrp) &&   // 4, 5
		skip_words(&at, 3) && take_u64(&at, &s->flags) &&      // 9
		skip_words(&at, 4) && take_u64(&at, &s->utime) &&      // 14
		take_u64(&at, &s->stime) &&                            // 15
		skip_words(&at, 6) && take_u64(&at, &s->start_time) && // 22
		skip_words(&at, 16) && take_int(&at, &s->processor);   // 39
}

bool proc_parse_stat(const char *text, struct proc_stat *ret)
{
	// the name may hold parentheses and newlines, what follows it never does
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct proc_stat s = { 0 };

	if (!open || !close || close < open || !parse_stat_words(close + 1, &s))
		return false;
	size_t len = (size_t)(close - open) - 1;
	if (len >= sizeof(s.comm))
		len = sizeof(s.comm) - 1;
	memcpy(s.comm, open + 1, len);
	*ret = s;
	return true;
}

/* The value of "KEY:\tVALUE", NULL if there is no such line. */
static const char *status_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ':')
			return line + len + 1;
	}
	return NULL;
}

/* The first three of the four ids of a "Uid:" or "Gid:" line: real, effective, saved. */
static bool status_ids(const char *text, const char *key, uint32_t ids[3])
{
	const char *at = status_value(text, key);

	for (size_t i = 0; i < 3; i++) {
		uint64_t id;

		if (!at || !take_u64(&at, &id) || id > UINT32_MAX)
			return false;
		ids[i] = (uint32_t)id;
	}
	return true;
}

static bool status_int(const char *text, const char *key, int *ret)
{
	const char *at = status_value(text, key);

	return at && take_int(&at, ret);
}

/* The last number of a line, which belongs to the innermost namespace. */
static pid_t status_last(const char *text, const char *key, pid_t missing)
{
	const char *at = status_value(text, key);
	pid_t last = missing;

	while (at && take_int(&at, &last))
		;
	return last;
}

static uint64_t status_capabilities(const char *text, const char *key)
{
	const char *at = status_value(text, key);
	uint64_t value = 0;

	if (!at)
		return 0;
	at += strspn(at, " \t");
	for (size_t i = 0; i < 16 && isxdigit((unsigned char)at[i]); i++) {
		int c = tolower((unsigned char)at[i]);

		value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return value;
}

bool proc_parse_status(const char *text, struct proc_status *ret)
{
	struct proc_status s = { .seccomp = -1 };
	uint32_t uids[3], gids[3];
	int pid, no_new_privs = 0;

	if (!status_ids(text, "Uid", uids) || !status_ids(text, "Gid", gids) ||
		!status_int(text, "Tgid", &s.tgid) || !status_int(text, "Pid", &pid))
		return false;
	s.uid = uids[0];
	s.euid = uids[1];
	s.suid = uids[2];
	s.gid = gids[0];
	s.egid = gids[1];
	s.sgid = gids[2];
	s.ns_tgid = status_last(text, "NStgid", s.tgid);
	s.ns_pid = status_last(text, "NSpid", pid);
	status_int(text, "TracerPid", &s.tracer);
	status_int(text, "Seccomp", &s.seccomp);
	status_int(text, "NoNewPrivs", &no_new_privs);
	s.no_new_privs = no_new_privs != 0;
	s.cap_effective = status_capabilities(text, "CapEff");
	s.cap_permitted = status_capabilities(text, "CapPrm");
	*ret = s;
	return true;
}

bool proc_parse_schedstat(const char *text, struct proc_schedstat *ret)
{
	struct proc_schedstat s;

	if (!take_u64(&text, &s.run_ns) || !take_u64(&text, &s.wait_ns) ||
		!take_u64(&text, &s.slices))
		return false;
	*ret = s;
	return true;
}

bool proc_parse_syscall(const char *text, struct proc_syscall *ret)
{
	char *end;

	*ret = (struct proc_syscall){ .number = -1 };
	if (strncmp(text, "running", 7) == 0) {
		ret->running = true;
		return true;
	}
	errno = 0;
	long number = strtol(text, &end, 10);
	if (end == text || errno || number < -1 || number > INT32_MAX)
		return false;
	ret->number = (int32_t)number;
	if (number < 0)
		return true;
	const char *argument = end;
	ret->argument = strtoull(argument, &end, 16);
	if (end == argument || errno)
		return false;
	uint64_t more[3] = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		more[i] = strtoull(end, &end, 16);
	ret->fourth = errno ? 0 : more[2];
	return true;
}

#define PROC_PATH_MAX 96

static void proc_path(char path[PROC_PATH_MAX], pid_t pid, pid_t tid, const char *name)
{
	if (tid)
		snprintf(path, PROC_PATH_MAX, "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
	else
		snprintf(path, PROC_PATH_MAX, "/proc/%d/%s", (int)pid, name);
}

static int proc_open(pid_t pid, pid_t tid, const char *name)
{
	char path[PROC_PATH_MAX];

	proc_path(path, pid, tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Reads a whole small file again; false if its thread is gone. */
static bool pread_text(int fd, char *text, size_t capacity)
{
	ssize_t n;

	do
		n = pread(fd, text, capacity - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	text[n] = 0;
	return true;
}

int proc_open_stat(pid_t pid, pid_t tid)
{
	return proc_open(pid, tid, "stat");
}

int proc_open_schedstat(pid_t pid, pid_t tid)
{
	return proc_open(pid, tid, "schedstat");
}

int proc_open_syscall(pid_t pid, pid_t tid)
{
	return proc_open(pid, tid, "syscall");
}

bool proc_pread_stat(int fd, struct proc_stat *ret)
{
	char text[STAT_TEXT_MAX];

	return pread_text(fd, text, sizeof(text)) && proc_parse_stat(text, ret);
}

bool proc_pread_schedstat(int fd, struct proc_schedstat *ret)
{
	char text[STAT_TEXT_MAX];

	return pread_text(fd, text, sizeof(text)) && proc_parse_schedstat(text, ret);
}

bool proc_pread_syscall(int fd, struct proc_syscall *ret)
{
	char text[SYSCALL_TEXT_MAX];

	return pread_text(fd, text, sizeof(text)) && proc_parse_syscall(text, ret);
}

bool proc_stat(pid_t pid, pid_t tid, struct proc_stat *ret)
{
	_cleanup_close_ int fd = proc_open_stat(pid, tid);

	return fd >= 0 && proc_pread_stat(fd, ret);
}

bool proc_status(pid_t pid, pid_t tid, struct proc_status *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char path[PROC_PATH_MAX];

	proc_path(path, pid, tid, "status");
	return iofd_read_file(path, STATUS_TEXT_MAX, &text) == 0 &&
		proc_parse_status(buf_str(&text), ret);
}

/* The names of a directory that are numbers. */
static size_t list_ids(const char *path, pid_t *ids, size_t capacity)
{
	size_t count = 0;
	DIR *dir = opendir(path);

	if (!dir)
		return 0;
	for (const struct dirent *entry; (entry = readdir(dir));) {
		const char *at = entry->d_name;
		pid_t id;

		if (!isdigit((unsigned char)*at) || !take_int(&at, &id) || *at)
			continue;
		if (count < capacity)
			ids[count] = id;
		count++;
	}
	closedir(dir);
	return count;
}

size_t proc_threads(pid_t pid, pid_t *tids, size_t capacity)
{
	char path[PROC_PATH_MAX];

	proc_path(path, pid, 0, "task");
	return list_ids(path, tids, capacity);
}

size_t proc_processes(pid_t *pids, size_t capacity)
{
	return list_ids("/proc", pids, capacity);
}

void proc_thread_comm(pid_t pid, pid_t tid, struct buf *out)
{
	_cleanup_close_ int fd = proc_open(pid, tid, "comm");
	char text[256];

	if (fd < 0 || !pread_text(fd, text, sizeof(text)))
		return;
	size_t len = strlen(text);
	if (len && text[len - 1] == '\n')
		len--;
	buf_add(out, text, len);
}

void proc_link(pid_t pid, const char *name, struct buf *out)
{
	char path[PROC_PATH_MAX], target[PATH_MAX];

	proc_path(path, pid, 0, name);
	ssize_t n = readlink(path, target, sizeof(target));
	if (n > 0)
		buf_add(out, target, (size_t)n);
}

static bool is_plain_argument(const char *arg, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)arg[i]) && !memchr("_@%+=:,./-", arg[i], 10))
			return false;
	}
	return len > 0;
}

static bool has_control_byte(const char *arg, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)arg[i] < 0x20 || arg[i] == 0x7f)
			return true;
	}
	return false;
}

/* $'...', which bash, zsh and POSIX 2024 know. */
static void add_escaped_argument(struct buf *out, const char *arg, size_t len)
{
	buf_add_str(out, "$'");
	for (size_t i = 0; i < len; i++) {
		if (arg[i] == '\n')
			buf_add_str(out, "\\n");
		else if (arg[i] == '\t')
			buf_add_str(out, "\\t");
		else if ((unsigned char)arg[i] < 0x20 || arg[i] == 0x7f)
			buf_printf(out, "\\%03o", (unsigned int)(unsigned char)arg[i]);
		else if (arg[i] == '\'' || arg[i] == '\\')
			buf_printf(out, "\\%c", arg[i]);
		else
			buf_add_char(out, arg[i]);
	}
	buf_add_char(out, '\'');
}

static void add_argument(struct buf *out, const char *arg, size_t len)
{
	if (is_plain_argument(arg, len)) {
		buf_add(out, arg, len);
		return;
	}
	if (has_control_byte(arg, len)) {
		add_escaped_argument(out, arg, len);
		return;
	}
	buf_add_char(out, '\'');
	for (size_t i = 0; i < len; i++) {
		if (arg[i] == '\'')
			buf_add_str(out, "'\\''");
		else
			buf_add_char(out, arg[i]);
	}
	buf_add_char(out, '\'');
}

/* Appends at most `cap` bytes of valid UTF-8; what is cut ends in "...". */
static void add_cut(struct buf *out, const char *text, size_t len, size_t cap)
{
	if (len <= cap) {
		buf_add(out, text, len);
		return;
	}
	size_t dots = cap < 3 ? cap : 3;
	size_t keep = cap - dots;
	while (keep && ((unsigned char)text[keep] & 0xc0) == 0x80)
		keep--;
	buf_add(out, text, keep);
	buf_add(out, "...", dots);
}

void proc_quote_arguments(const char *text, size_t len, size_t cap, struct buf *out)
{
	_cleanup_buf_ struct buf quoted = BUF_INIT, repaired = BUF_INIT;

	// programs that retitle themselves pad the old arguments with zeros
	while (len && text[len - 1] == 0)
		len--;
	for (size_t at = 0; at < len && quoted.len <= cap;) {
		size_t arg_len = strnlen(text + at, len - at);

		if (at)
			buf_add_char(&quoted, ' ');
		add_argument(&quoted, text + at, arg_len);
		at += arg_len + 1;
	}
	utf8_add_bytes(&repaired, buf_str(&quoted), quoted.len);
	add_cut(out, buf_str(&repaired), repaired.len, cap);
}

void proc_command_line(pid_t pid, size_t cap, struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	char path[PROC_PATH_MAX];

	proc_path(path, pid, 0, "cmdline");
	// one more than fits, so that what is cut is seen to be
	if (iofd_read_file(path, cap + 2, &text) == 0)
		proc_quote_arguments(buf_str(&text), text.len, cap, out);
}

bool proc_exe_identity(pid_t pid, uint64_t *dev_ret, uint64_t *inode_ret)
{
	char path[PROC_PATH_MAX];
	struct stat st;

	proc_path(path, pid, 0, "exe");
	if (stat(path, &st) != 0)
		return false;
	*dev_ret = st.st_dev;
	*inode_ret = st.st_ino;
	return true;
}

uint64_t proc_resident_bytes(pid_t pid)
{
	_cleanup_close_ int fd = proc_open(pid, 0, "statm");
	char text[256];
	const char *at = text;
	uint64_t pages;

	if (fd < 0 || !pread_text(fd, text, sizeof(text)) || !skip_words(&at, 1) ||
		!take_u64(&at, &pages))
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
