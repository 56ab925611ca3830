/* SPDX-License-Identifier: MIT */
/*
 * compile.c: kvmap compile SCRIPT --output FILE
 */
#include "base/file_target.h"
#include "commands/commands.h"
#include "commands/options.h"

#include <stdlib.h>
#include <string.h>

struct compile_options {
	struct options common;
	const char *script;
	const char *output;
	bool ticks;
};

enum { OPTION_TICKS = 512 };

static const struct argp_option argp_options[] = {
	{ "output", 'o', "FILE", 0, "where to write the module", 0 },
	{ "ticks", OPTION_TICKS, NULL, 0,
	  "let the guest report the TSC ticks of each operation: instructions, under QEMU's -icount shift=0",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct compile_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->common; return 0;
	case 'o': options->output = options_path(state, "--output", argument); return 0;
	case OPTION_TICKS: options->ticks = true; return 0;
	case ARGP_KEY_ARG: options_script(state, argument, &options->common, &options->script); return 0;
	case ARGP_KEY_END:
		if (!options->script && !options->common.operations)
			argp_error(state, "SCRIPT is missing");
		if (!options->output)
			argp_error(state, "--output FILE is missing");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &options_module_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	argp_options,
	parse,
	"SCRIPT --output FILE",
	"Makes SCRIPT into the boot module of the guest, for use without kvmap: "
	"qemu-system-x86_64 -kernel kvmap-guest.elf -initrd FILE"
	"\vFILE is replaced if it is a boot module, or empty; else that is refused.",
	children,
	NULL,
	NULL,
};

static bool is_module(const void *start, size_t size)
{
	const uint64_t magic = KVMAP_BOOT_MAGIC;

	return size >= sizeof(magic) && !memcmp(start, &magic, sizeof(magic));
}

static const struct file_target_kind module_kind = { "module", "a boot module", 0666, is_module };

static int write_file(const char *path, const void *bytes, size_t size, struct error *error)
{
	struct file_target target;

	if (file_target_open(path, &module_kind, &target, error) < 0)
		return -1;
	return file_target_close(&target, file_target_write(&target, bytes, size, 0), error);
}

/* Sets what the command line and the head of the script state. */
static int settle(struct session_config *config, const struct script *script, struct kvmap_boot *boot,
		  char *context, size_t context_size, struct error *error)
{
	if (session_settle(config, script, context, context_size, error) < 0)
		return -1;
	boot->cpus = config->cpus;
	boot->nodes = config->nodes;
	boot->policy = config->policy;
	boot->seed = config->seed;
	boot->fail_allocation = config->fail_allocation;
	if (config->debug_slab)
		boot->flags |= KVMAP_BOOT_DEBUG_SLAB;
	if (config->debug_locks)
		boot->flags |= KVMAP_BOOT_DEBUG_LOCKS;
	return 0;
}

static int run(int argc, char **argv)
{
	struct compile_options options = { 0 };
	struct kvmap_boot boot = { .flags = KVMAP_BOOT_SERIAL };
	struct script *script = NULL;
	char context[1024] = "";
	struct error error;
	void *module = NULL;
	size_t size;
	int status = EXIT_VERIFIED;

	options_default(&options.common);
	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	if (options.ticks)
		boot.flags |= KVMAP_BOOT_TICKS;
	if (options_load(&options.common, options.script, &script, context, sizeof(context), &error) < 0 ||
	    settle(&options.common.session, script, &boot, context, sizeof(context), &error) < 0 ||
	    script_module(script, &boot, &module, &size, &error) < 0 ||
	    write_file(options.output, module, size, &error) < 0)
		status = command_fail(&error, context);
	free(module);
	script_destroy(script);
	return status;
}

const struct command compile_command = {
	"compile",
	"make a script into the module that QEMU's -initrd takes",
	run,
};
