/* SPDX-License-Identifier: MIT */
#include "commands/options.h"

#include "base/number.h"
#include "commands/commands.h"
#include "script/names.h"
#include "stage2/reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_JSON = 256,
	OPTION_DEBUG_SLAB,
	OPTION_JITTER,
	OPTION_DEBUG_LOCKS,
	OPTION_CPUS,
	OPTION_FAIL_ALLOCATION,
	OPTION_GUEST,
	OPTION_KVM,
	OPTION_MEMORY,
	OPTION_NODES,
	OPTION_POLICY,
	OPTION_SEED,
	OPTION_STAGE2,
	OPTION_TIMEOUT
};

#define POLICY_HELP(NAME, value, word, help) "; " word ": " help

/* Rows that more than one set of options has. */
#define ROW_JSON { "json", OPTION_JSON, NULL, 0, "print JSON lines instead of text", 0 },
#define ROW_GUEST                                                                                            \
	{ "guest", OPTION_GUEST, "FILE", 0, "the guest kernel (default: the one built with kvmap)", 0 },
#define ROW_MEMORY(standard)                                                                                 \
	{                                                                                                    \
		"memory",                                                                                    \
		OPTION_MEMORY,                                                                               \
		"SIZE",                                                                                      \
		0,                                                                                           \
		"memory of the guest, a multiple of 2M (default " standard ")",                              \
		0                                                                                            \
	},
#define ROW_POLICY                                                                                           \
	{                                                                                                    \
		"policy",                                                                                    \
		OPTION_POLICY,                                                                               \
		"POLICY",                                                                                    \
		0,                                                                                           \
		"when freed memory is used again" KVMAP_POLICIES(POLICY_HELP),                               \
		0                                                                                            \
	},
#define ROW_TIMEOUT                                                                                          \
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0, "stop a guest that runs longer (default 60)", 0 },

static const struct argp_option common_rows[] = { ROW_JSON ROW_GUEST{ 0 } };
static const struct argp_option bench_rows[] = { ROW_JSON ROW_GUEST ROW_MEMORY("2G")
							 ROW_POLICY ROW_TIMEOUT{ 0 } };
static const struct argp_option stage2_rows[] = {
	{ "stage2", OPTION_STAGE2, NULL, 0,
	  "also read the second stage, for V10 and for walk (as root; see kvmap-stage2(1))", 0 },
	{ 0 },
};
static const struct argp_option verbose_rows[] = {
	{ "verbose", 'v', NULL, 0, "also say how a VM was read, and for how long it was paused", 0 },
	{ 0 },
};
/* Options that change the boot module. */
static const struct argp_option module_rows[] = {
	{ "operations", 'e', "OPERATIONS", 0,
	  "run OPERATIONS instead of a script's file; a semicolon or another -e begins the next one", 0 },
	{ "cpus", OPTION_CPUS, "N", 0, "CPUs of the guest, 1 to 64 (default 1)", 0 },
	{ "nodes", OPTION_NODES, "N", 0, "nodes that memory and CPUs are split into, 1 to 8 (default 1)", 0 },
	ROW_POLICY{ "seed", OPTION_SEED, "N", 0, "seed of pseudo-random choices (default 1)", 0 },
	{ "debug-slab", OPTION_DEBUG_SLAB, NULL, 0,
	  "kmalloc poisons free memory and finds what is freed twice or written after it was freed", 0 },
	{ "debug-locks", OPTION_DEBUG_LOCKS, NULL, 0,
	  "run the guest that checks how its locks are used, and their order", 0 },
	{ "fail-allocation", OPTION_FAIL_ALLOCATION, "N", 0,
	  "make the guest's Nth allocation of frames or of an object fail, counted from the first operation",
	  0 },
	{ 0 },
};
static const struct argp_option machine_rows[] = {
	ROW_MEMORY("256M") ROW_TIMEOUT{
		"jitter", OPTION_JITTER, "SEED", 0,
		"delay the guest's CPUs at pseudo-random times, so that they meet in other orders", 0 },
	{ "kvm", OPTION_KVM, "DEVICE", 0, "the KVM device (default /dev/kvm)", 0 },
	{ 0 },
};

/* The operations of all -e until now. Not in struct options: it lives as long as the process. */
static char *operations;

/* Appends a line. A semicolon outside of a text in quotes ends an operation, as a new line does. */
static int take_operations(struct argp_state *state, const char *text, struct options *options)
{
	size_t before = operations ? strlen(operations) : 0, length = strlen(text);
	char *whole = realloc(operations, before + length + 2);
	bool quoted = false;

	if (!whole) {
		argp_failure(state, argp_err_exit_status, ENOMEM, "-e");
		return ENOMEM;
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"' && !(quoted && text[i - 1] == '\\'))
			quoted = !quoted;
		if (text[i] == '\n')
			quoted = false;
		whole[before + i] = (char)(text[i] == ';' && !quoted ? '\n' : text[i]);
	}
	whole[before + length] = '\n';
	whole[before + length + 1] = '\0';
	operations = whole;
	options->operations = whole;
	return 0;
}

int options_load(const struct options *options, const char *path, struct script **out, char *context_out,
		 size_t context_size, struct error *error)
{
	return options->operations ? script_compile("-e", options->operations, strlen(options->operations),
						    out, context_out, context_size, error)
				   : script_load(path, out, context_out, context_size, error);
}

static int parse_memory(struct argp_state *state, const char *text, uint64_t *out)
{
	if (number_parse(text, strlen(text), out) == NUMBER_OK && *out)
		return 0;
	argp_error(state, "--memory `%s` is no size from 2M on, such as 64M or 2GiB", text);
	return EINVAL;
}

static int parse_number(struct argp_state *state, const char *what, const char *text, uint64_t *out)
{
	if (number_parse(text, strlen(text), out) == NUMBER_OK)
		return 0;
	argp_error(state, "%s `%s` is not a number", what, text);
	return EINVAL;
}

int options_count(struct argp_state *state, const char *option, const char *text, uint32_t most,
		  uint32_t *out)
{
	uint64_t count;

	if (number_parse(text, strlen(text), &count) == NUMBER_OK && count && count <= most) {
		*out = (uint32_t)count;
		return 0;
	}
	argp_error(state, "%s `%s` is not a number from 1 to %" PRIu32, option, text, most);
	return EINVAL;
}

static int parse_policy(struct argp_state *state, const char *text, uint32_t *out)
{
	const struct name *policy = name_find(policy_names, text, strlen(text));
	const struct name *nearest;
	char list[80];

	if (policy) {
		*out = policy->value;
		return 0;
	}
	name_list(policy_names, list, sizeof(list));
	nearest = name_nearest(policy_names, text, strlen(text));
	if (nearest)
		argp_error(state, "unknown policy `%s`; did you mean `%s`? It is one of %s", text,
			   nearest->name, list);
	else
		argp_error(state, "unknown policy `%s`: expected one of %s", text, list);
	return EINVAL;
}

static int parse_timeout(struct argp_state *state, const char *text, uint64_t *out)
{
	char *end;
	double seconds = strtod(text, &end);

	/* The upper bound keeps the nanoseconds in 64 bits; a NaN fails both comparisons. */
	if (*text && !*end && seconds > 0 && seconds <= 1e6) {
		*out = (uint64_t)(seconds * 1e9);
		return 0;
	}
	argp_error(state, "--timeout `%s` is not a number of seconds between 0 and 1000000", text);
	return EINVAL;
}

/* A build that cannot read the second stage refuses the option: a verdict would say less than was wanted. */
static int parse_stage2(struct argp_state *state, bool *out)
{
	struct error error;

	if (stage2_reader_check(&error) < 0) {
		argp_failure(state, EXIT_NOT_DONE, 0, "--stage2: %s", error.text);
		return EINVAL;
	}
	*out = true;
	return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'e': return take_operations(state, argument, options);
	case 'v': options->verbose = true; return 0;
	case OPTION_JSON: options->json = true; return 0;
	case OPTION_STAGE2: return parse_stage2(state, &options->session.stage2);
	case OPTION_DEBUG_SLAB: options->session.debug_slab = true; return 0;
	case OPTION_DEBUG_LOCKS: options->session.debug_locks = true; return 0;
	case OPTION_JITTER:
		return options_count(state, "--jitter", argument, UINT32_MAX, &options->session.jitter);
	case OPTION_GUEST: options->program = argument; return 0;
	case OPTION_KVM: options->session.kvm_path = argument; return 0;
	case OPTION_MEMORY: return parse_memory(state, argument, &options->session.memory);
	case OPTION_CPUS:
		return options_count(state, "--cpus", argument, KVMAP_CPUS_MAX, &options->session.cpus);
	case OPTION_FAIL_ALLOCATION:
		return options_count(state, "--fail-allocation", argument, UINT32_MAX,
				     &options->session.fail_allocation);
	case OPTION_NODES:
		return options_count(state, "--nodes", argument, KVMAP_NODES_MAX, &options->session.nodes);
	case OPTION_POLICY: return parse_policy(state, argument, &options->session.policy);
	case OPTION_SEED:
		options->session.has_seed = true;
		return parse_number(state, "--seed", argument, &options->session.seed);
	case OPTION_TIMEOUT: return parse_timeout(state, argument, &options->session.timeout_ns);
	default: return ARGP_ERR_UNKNOWN;
	}
}

static error_t forward(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->child_inputs[1] = state->input;
	return 0;
}

static const struct argp common_argp = { .options = common_rows, .parser = parse };
static const struct argp machine_argp = { .options = machine_rows, .parser = parse };
const struct argp options_module_argp = { .options = module_rows, .parser = parse };
const struct argp options_verbose_argp = { .options = verbose_rows, .parser = parse };
const struct argp options_stage2_argp = { .options = stage2_rows, .parser = parse };
const struct argp options_bench_argp = { .options = bench_rows, .parser = parse };

static const struct argp_child script_children[] = { { &options_module_argp, 0, NULL, 0 },
						     { &machine_argp, 0, NULL, 0 },
						     { 0 } };
static const struct argp script_argp = { .parser = forward, .children = script_children };
static const struct argp_child all_children[] = {
	{ &common_argp, 0, NULL, 0 },
	{ &script_argp, 0, "The machine that runs a script:", 2 },
	{ 0 },
};
const struct argp options_argp = { .parser = forward, .children = all_children };

int options_cpu(struct argp_state *state, const char *text, unsigned int *out)
{
	uint64_t cpu;

	if (number_parse(text, strlen(text), &cpu) == NUMBER_OK && cpu < VIEW_CPUS_MAX) {
		*out = (unsigned int)cpu;
		return 0;
	}
	argp_error(state, "--cpu `%s` is not the number of a CPU, 0 to %d", text, VIEW_CPUS_MAX - 1);
	return EINVAL;
}

const char *options_path(struct argp_state *state, const char *option, const char *path)
{
	if (!*path)
		argp_error(state, "%s is followed by no name of a file", option);
	return path;
}

void options_default(struct options *options)
{
	*options = (struct options){
		.session = {
			.kvm_path = "/dev/kvm",
			.policy = SESSION_POLICY_UNSTATED,
			.timeout_ns = 60ull * 1000000000,
		},
	};
}

void options_script(struct argp_state *state, const char *argument, const struct options *options,
		    const char **script)
{
	if (options->operations)
		argp_error(state, "one SCRIPT at a time: `%s` beside -e", argument);
	if (*script)
		argp_error(state, "one SCRIPT at a time: `%s` is a second one", argument);
	*script = argument;
}
