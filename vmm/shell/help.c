/* SPDX-License-Identifier: MIT */
#include "shell/help.h"

#include "report/text.h"
#include "script/script.h"

#include <string.h>

/* X(word, most arguments, whether it is of a guest that the shell boots, usage, help) */
#define OWN_WORDS(X)                                                                                           \
	X("help", 1, false, "help [WORD]", "lists what can be typed, or says what one word does")              \
	X("verify", 1, true, "verify [each|end|off]",                                                          \
	  "verifies now; or from now on after each line (default), at the end only, or not at all")            \
	X("save", 1, true, "save FILE",                                                                        \
	  "writes what was run into a new file, as a script that `kvmap run` runs")                            \
	X("restart", 0, true, "restart",                                                                       \
	  "boots the guest anew, and runs SOURCE if it was given; what was typed is gone but for the history") \
	X("continue", 0, true, "continue", "lets a guest that Ctrl-C stopped run on")                          \
	X("exit", 0, false, "exit",                                                                            \
	  "ends the guest and the shell, as Ctrl-D does; the exit status is the verdict's")                    \
	X("quit", 0, false, "quit", "as exit")

/* X(word, usage, help) */
#define PREFIXES(X)                                                                                          \
	X("expect", "expect refused OPERATION, expect fault KIND [read|write|execute] ADDRESS",              \
	  "the guest must refuse the operation, or an access to ADDRESS must fault")                         \
	X("on", "on cpu N OPERATION", "CPU N runs it, while CPU 0 waits")                                    \
	X("in", "in interrupt OPERATION", "its CPU runs it in an interrupt handler")                         \
	X("repeat", "repeat N", "the lines below it, to its `end`, are run N times")                         \
	X("parallel", "parallel",                                                                            \
	  "the lines below it, to its `end`, are run by all CPUs at the same time, each its own in order")   \
	X("end", "end", "ends a repeat or parallel")

#define WORD(word, arguments, of_guest, usage, help) word,
const char *const help_own_words[] = { OWN_WORDS(WORD) NULL };
#undef WORD
#define WORD(word, usage, help) word,
const char *const help_prefixes[] = { PREFIXES(WORD) NULL };
#undef WORD

static const struct {
	const char *word;
	unsigned int arguments;
	bool of_guest;
	const char *usage, *help;
} own[] = {
#define ROW(word, arguments, of_guest, usage, help) { word, arguments, of_guest, usage, help },
	OWN_WORDS(ROW)
#undef ROW
};

static const struct {
	const char *word, *usage, *help;
} prefixes[] = {
#define ROW(word, usage, help) { word, usage, help },
	PREFIXES(ROW)
#undef ROW
};

const char *help_usage(const char *word, size_t *arguments_out)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcmp(own[i].word, word) != 0)
			continue;
		*arguments_out = own[i].arguments;
		return own[i].usage;
	}
	return NULL;
}

static struct report report_of(FILE *stream, unsigned int columns)
{
	return (struct report){ .stream = stream, .columns = columns };
}

/* The words in lines. */
static void print_words(struct report *report, const char *title, const char *(*word)(size_t index))
{
	char list[2000] = "";
	size_t length = 0;
	const char *next;

	for (size_t i = 0; (next = word(i)) && length + strlen(next) + 2 < sizeof(list); i++)
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s", i ? " " : "", next);
	text_heading(report, title);
	text_line(report, PAINT_PLAIN, 2, 2, "%s", list);
}

static const char *const *listed_commands;

static const char *command_listed(size_t index)
{
	return listed_commands[index];
}

void help_print(FILE *stream, const char *const *commands, bool operations, unsigned int columns)
{
	struct report report = report_of(stream, columns);

	if (operations) {
		print_words(&report, "Operations", operation_listed);
		text_line(
			&report, PAINT_PLAIN, 2, 2,
			"Before one: expect fault KIND, expect refused, on cpu N, in interrupt. Around some: repeat N, "
			"parallel, each with its end.");
	}
	listed_commands = commands;
	print_words(&report, "Inspecting commands", command_listed);
	text_line(&report, PAINT_PLAIN, 2, 2, "With the arguments of `kvmap COMMAND`, but without SOURCE.");
	text_heading(&report, "The shell");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (operations || !own[i].of_guest)
			text_line(&report, PAINT_PLAIN, 2, 26, "%-22s  %s", own[i].usage, own[i].help);
	text_line(&report, PAINT_PLAIN, 2, 2, "help WORD says more. %sCtrl-D ends.",
		  operations ? "Ctrl-C stops the guest, " : "");
}

bool help_print_word(FILE *stream, const char *word, unsigned int columns)
{
	struct report report = report_of(stream, columns);
	char usage[160];
	const char *help = operation_help(word, usage, sizeof(usage));
	bool found = help;

	if (help)
		text_line(&report, PAINT_PLAIN, 2, 4, "%s: %s", usage, help);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strcmp(prefixes[i].word, word) != 0)
			continue;
		text_line(&report, PAINT_PLAIN, 2, 4, "%s: %s", prefixes[i].usage, prefixes[i].help);
		found = true;
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcmp(own[i].word, word) != 0)
			continue;
		text_line(&report, PAINT_PLAIN, 2, 4, "%s: %s", own[i].usage, own[i].help);
		found = true;
	}
	return found;
}
