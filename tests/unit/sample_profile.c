// SPDX-License-Identifier: MIT
#include <string.h>

#include "sample_profile.h"

#define SITE "/srv/app/.venv/lib/python3.12/site-packages/"
#define STDLIB "/usr/lib/python3.12/"
#define APP "/srv/app/"

frame_id sample_frame(
	struct profile *p, const char *name, const char *file, uint32_t first, uint32_t line)
{
	struct store_function f = {
		.name = profile_string(p, name, strlen(name)),
		.file = profile_string(p, file, strlen(file)),
		.first_line = first,
	};

	return profile_frame(p, profile_function(p, &f), line);
}

stack_id sample_add(struct profile *p, const frame_id *frames, size_t count, uint64_t weight)
{
	stack_id stack = STACK_NONE;

	for (size_t i = 0; i < count; i++)
		stack = profile_stack(p, stack, frames[i]);
	profile_add_sample(p, stack, weight);
	return stack;
}

void sample_profile_init(struct profile *p)
{
	profile_init(p);
	frame_id main_thread = profile_plain_frame(p, FUNCTION_THREAD, "MainThread");
	frame_id worker = profile_plain_frame(p, FUNCTION_THREAD, "worker 3");
	frame_id idle = profile_plain_frame(p, FUNCTION_MARK, "(idle)");
	frame_id module = sample_frame(p, "<module>", APP "run.py", 1, 40);
	frame_id view_a = sample_frame(p, "View.get", APP "views.py", 10, 12);
	frame_id view_b = sample_frame(p, "View.get", APP "views.py", 10, 15);
	frame_id view_c = sample_frame(p, "View.get", APP "views.py", 80, 83);
	frame_id render = sample_frame(p, "render", SITE "jinja2/environment.py", 1285, 1301);
	frame_id dumps = sample_frame(p, "dumps", STDLIB "json/__init__.py", 183, 231);
	frame_id load =
		sample_frame(p, "_find_and_load", "<frozen importlib._bootstrap>", 1349, 1360);
	frame_id walk_a = sample_frame(p, "walk", APP "tree.py", 5, 8);
	frame_id walk_b = sample_frame(p, "walk", APP "tree.py", 5, 9);
	frame_id utf8 = sample_frame(p, "größe_測定", APP "maß.py", 3, 0);
	frame_id eval = sample_frame(p, "<lambda>", "<string>", 1, 1);

	SAMPLE_ADD(p, 500, main_thread, module, view_a, render);
	SAMPLE_ADD(p, 300, main_thread, module, view_b, render);
	SAMPLE_ADD(p, 40, main_thread, module, view_b);
	SAMPLE_ADD(p, 120, main_thread, module, view_c, dumps);
	SAMPLE_ADD(p, 25, main_thread, module, load);
	SAMPLE_ADD(p, 60, worker, walk_a, walk_a, walk_b, walk_a);
	SAMPLE_ADD(p, 20, worker, walk_a, walk_b);
	SAMPLE_ADD(p, 17, worker, utf8);
	SAMPLE_ADD(p, 3, worker, eval);
	SAMPLE_ADD(p, 200, worker, idle);
	SAMPLE_ADD(p, 1, worker);
}

const char *const sample_hostile_names[] = {
	"</script><img src=x onerror=fireglassHurt()>",
	"</title><script>fireglassHurt()</script>",
	"]]><script>fireglassHurt()</script>",
	"--><!--",
	"\"onload=\"fireglassHurt()\" '",
	"&lt;amp; &#60;script&#62; &#x1;",
	"semi;colon; 17",
	"line\nfeed\r\ncarriage\ttab",
	"nul? \x01\x02\x1b[31mred\x7f",
	"c1 \xc2\x85 \xc2\x9b end",
	"paragraph \xe2\x80\xa8 and \xe2\x80\xa9",
	"left \xe2\x80\xae thgir \xe2\x80\xac",
	"no \xef\xbf\xbe such \xef\xbf\xbf character",
	"back\\slash \\x3b \\n \\\\",
	"ends in a number 12.5",
	"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd8\xa7\xd9\x84\xd8\xb9\xd8\xb1\xd8\xa8\xd9\x8a\xd8\xa9",
	"\xf0\x9f\x94\xa5 fire \xf0\x9f\x94\xa5",
	" ",
	"${fireglassHurt()} {{7*7}} <%= 1 %>",
	"javascript:fireglassHurt()",
	"__proto__",
	"constructor",
	NULL,
};

void sample_hostile_init(struct profile *p)
{
	char huge[10001];

	profile_init(p);
	memset(huge, 'W', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = 0;
	frame_id thread = profile_plain_frame(p, FUNCTION_THREAD, sample_hostile_names[0]);
	for (size_t i = 0; sample_hostile_names[i]; i++) {
		const char *name = sample_hostile_names[i];

		SAMPLE_ADD(p, 10 + i, thread, sample_frame(p, name, name, 1, 7));
		SAMPLE_ADD(p, 1, profile_plain_frame(p, FUNCTION_MARK, name));
	}
	SAMPLE_ADD(p, 50, thread, sample_frame(p, huge, huge, 1, UINT32_MAX));
	SAMPLE_ADD(p, 50, thread, sample_frame(p, "", "", 0, 0));
}
