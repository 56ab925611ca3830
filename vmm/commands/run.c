/* SPDX-License-Identifier: MIT */
/*
 * run.c: kvmap run [SCRIPT]
 */
#include "base/clock.h"
#include "base/data_path.h"
#include "base/progress.h"
#include "base/signals.h"
#include "commands/core_dump.h"
#include "commands/inspection.h"
#include "commands/progress.h"
#include "commands/watch.h"
#include "session/accept.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct run_options {
	struct options common;
	const char *script;
	const char *dump;
	const char *control;
	bool hold;
	bool serial;
	bool watch;
	bool log;
	const char *record_events;
};

enum {
	OPTION_DUMP = 512,
	OPTION_CONTROL,
	OPTION_HOLD,
	OPTION_SERIAL,
	OPTION_WATCH,
	OPTION_LOG,
	OPTION_RECORD_EVENTS
};

static const struct argp_option argp_options[] = {
	{ "dump", OPTION_DUMP, "FILE", 0, "write the guest's memory at the end as an ELF core", 0 },
	{ "control", OPTION_CONTROL, "PATH", 0,
	  "let other commands inspect the VM while it runs, through a socket at PATH; `auto`: at the path where "
	  "they find it by its process id",
	  0 },
	{ "hold", OPTION_HOLD, NULL, 0,
	  "hold the VM at its end, for inspection, until Ctrl-C or `kvmap resume` (implies --control auto)",
	  0 },
	{ "serial", OPTION_SERIAL, NULL, 0,
	  "print the guest's own report, as any other VMM would see it on the serial port", 0 },
	{ "watch", OPTION_WATCH, NULL, 0,
	  "show the guest's map twice a second while it runs, in a terminal: + marks lines that are new, - those that are "
	  "gone (implies --control auto)",
	  0 },
	{ "log", OPTION_LOG, NULL, 0,
	  "let the guest log its stores to page-table entries and its flushes, and verify flushes (V9) by that instead of by "
	  "its own record of them",
	  0 },
	{ "record-events", OPTION_RECORD_EVENTS, "FILE", 0,
	  "write what was verified by the log to FILE, for `kvmap replay` (implies --log)", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct run_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = state->child_inputs[1] = &options->common; return 0;
	case OPTION_DUMP: options->dump = options_path(state, "--dump", argument); return 0;
	case OPTION_CONTROL: options->control = options_path(state, "--control", argument); return 0;
	case OPTION_HOLD: options->hold = true; return 0;
	case OPTION_SERIAL: options->serial = true; return 0;
	case OPTION_WATCH: options->watch = true; return 0;
	case OPTION_LOG: options->log = true; return 0;
	case OPTION_RECORD_EVENTS:
		options->record_events = options_path(state, "--record-events", argument);
		options->log = true;
		return 0;
	case ARGP_KEY_ARG: options_script(state, argument, &options->common, &options->script); return 0;
	case ARGP_KEY_END:
		if (options->watch && options->common.json)
			argp_error(state, "--watch is for reading: it cannot be combined with --json");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &options_argp, 0, NULL, 0 },
					      { &options_stage2_argp, 0, NULL, 0 },
					      { 0 } };
static const struct argp argp = {
	argp_options,
	parse,
	"[SCRIPT]",
	"Boots the guest on KVM, runs the operations of SCRIPT, verifies what its memory manager did, and reports."
	"\vWithout SCRIPT the demonstration runs. Exit status: 0 all verified, 1 at least one finding, 2 it could "
	"not be done, or the guest refused an operation.",
	children,
	NULL,
	NULL,
};

static int dump(const struct session *session, const char *path, struct error *error)
{
	struct core_dump dump = {
		.view = session->view,
		.mode = session->has_mode ? &session->mode : NULL,
		.no_mode = "the guest ended before it had any",
		.symbols = session->symbols,
		.program = session->config.program,
	};
	struct report_dump written;
	int result = core_dump_collect(&dump, error);

	if (result == 0)
		result = core_dump_write(&dump, path, &written, error);
	core_dump_destroy(&dump);
	return result;
}

static int print(struct session *session, const struct run_options *options, uint64_t process_ns,
		 uint64_t start)
{
	struct report report;
	struct error error;
	bool is_dumped = true;
	const char *serial;
	size_t length;
	int status;

	if (options->dump) {
		progress_set("writing %s", options->dump);
		is_dumped = dump(session, options->dump, &error) == 0;
	}
	if (options->serial) {
		progress_end();
		serial = machine_serial(session->machine, &length);
		/* Into a file or a pipe as it is; a terminal must not be controlled by the guest. */
		if (isatty(STDOUT_FILENO))
			command_write_escaped(stdout, serial, length);
		else
			fwrite(serial, 1, length, stdout);
	} else {
		/* With a guest of its own, other commands need options, too. */
		if (!options->common.program && !options->common.operations)
			session->verdict.source = options->script;
		session->run.timing.process_ns = process_ns;
		session->run.timing.total_ns = process_ns + clock_monotonic_ns() - start;
		command_report(&report, options->common.json);
		report_run(&report, &session->run);
	}
	status = command_finish(session_status(session));
	if (!is_dumped)
		command_fail(&error, NULL);
	/* A finding has precedence: the line on standard error says that the core is missing. */
	return is_dumped || status == EXIT_FINDING ? status : EXIT_NOT_DONE;
}

/* session_run(), and the map of the guest meanwhile. */
static int run_watched(const struct session_config *config, struct session **out, struct error *error)
{
	pid_t watcher;
	int result;

	if (watch_check_terminal(error) < 0)
		return -1;
	progress_end();
	watcher = watch_begin(error);
	if (watcher < 0)
		return -1;
	result = session_run(config, out, error);
	if (result == 0 && !signals_received())
		acceptor_hold((*out)->acceptor);
	watch_end(watcher, result == 0);
	return result;
}

/* Keeps the VM at its end. */
static void hold(struct acceptor *acceptor)
{
	if (acceptor_hold(acceptor))
		fprintf(stderr,
			"kvmap: the VM is held at its end: inspect it with `kvmap map %d`; end it with Ctrl-C or `kvmap resume %d`\n",
			getpid(), getpid());
	acceptor_wait(acceptor);
}

/* The line on stderr before the process dies of the signal. A pipe without a reader needs none. */
static void show_interrupted(const struct session *session)
{
	int number = signals_received();

	if (session->run.interrupted)
		fprintf(stderr, "kvmap: interrupted by %s: %s\n", session->run.interrupted,
			session->run.interrupted_at);
	else if (number != SIGPIPE)
		fprintf(stderr, "kvmap: ended by %s\n", signals_name(number));
}

/* Whether --dump was given, for show_early(). */
static volatile sig_atomic_t early_dump;

/* A signal before the guest runs. In the handler: write() alone. A pipe without a reader needs no line. */
static void show_early(const char *name)
{
	const char *const parts[] = { "kvmap: ended by ", name, ": the guest did not run yet",
				      early_dump ? ", and --dump is not written\n" : "\n" };

	if (!strcmp(name, "SIGPIPE"))
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			return;
}

static int run(int argc, char **argv)
{
	struct run_options options = { 0 };
	char script_path[PATH_MAX], program[PATH_MAX], context[1024] = "";
	struct session *session = NULL;
	struct session_config config;
	struct script *script = NULL;
	struct timespec cpu;
	struct error error;
	uint64_t process_ns, start;
	int status;

	signals_early(show_early);
	options_default(&options.common);
	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	early_dump = options.dump != NULL;
	if (!options.script && !options.common.operations) {
		if (data_path_find("images/demo.kvs", script_path, sizeof(script_path), &error) < 0)
			return command_fail(&error, NULL);
		options.script = script_path;
	}
	if (session_program(options.common.program, options.common.session.debug_locks, program,
			    sizeof(program), &error) < 0 ||
	    options_load(&options.common, options.script, &script, context, sizeof(context), &error) < 0)
		return command_fail(&error, context);
	/* Until here the process did not wait for anything: its CPU time is the time since exec. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	process_ns = (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec;
	start = clock_monotonic_ns();
	config = options.common.session;
	if ((options.dump && core_check_path(options.dump, &error) < 0) ||
	    session_settle(&config, script, context, sizeof(context), &error) < 0) {
		script_destroy(script);
		return command_fail(&error, context);
	}
	config.program = program;
	config.interruptible = true;
	config.columns = command_columns();
	config.serial = options.serial;
	config.log = options.log;
	config.record_events = options.record_events;
	config.hold = options.hold || options.watch;
	config.control = options.control ? options.control : config.hold ? ACCEPT_AUTO : NULL;
	if ((options.watch ? run_watched : session_run)(&config, &session, &error) < 0)
		status = command_fail(&error, NULL);
	else
		status = print(session, &options, process_ns, start);
	if (session && options.hold && !signals_received())
		hold(session->acceptor);
	if (session && signals_received())
		show_interrupted(session);
	session_destroy(session);
	script_destroy(script);
	return status;
}

const struct command run_command = {
	"run",
	"boot the guest, run a script of operations, verify, report",
	run,
};
