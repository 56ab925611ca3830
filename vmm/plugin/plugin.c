/* SPDX-License-Identifier: MIT */
/*
 * plugin.c: what QEMU calls when it loads the plugin, makes a CPU, and ends; the registers.
 */
#include "plugin/plugin.h"
#include "base/number.h"
#include "plugin/translate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_API_VERSION;

struct plugin plugin = { .mode = MODE_ALL, .lock = PTHREAD_MUTEX_INITIALIZER };

static struct {
	uint64_t low;
	int fd; /* of the file that kvmap reads; -1: none */
} arguments = { .fd = -1 };

/* ---- registers ---- */

static void *handles[REGISTER_COUNT];

static const char *const register_names[REGISTER_COUNT] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",   "r9", "r10",     "r11",
	"r12", "r13", "r14", "r15", "rip", "cr0", "cr3", "cr4", "efer", "cs", "fs_base", "gs_base",
};

uint64_t plugin_register(enum plugin_register which)
{
	static __thread struct g_array *bytes;
	uint64_t value = 0;
	int size;

	if (!bytes)
		bytes = g_byte_array_new();
	g_byte_array_set_size(bytes, 0);
	size = handles[which] ? qemu_plugin_read_register(handles[which], bytes) : 0;
	if (size > 0)
		memcpy(&value, bytes->data, size < 8 ? (size_t)size : 8);
	return value;
}

bool plugin_registers_find(void)
{
	struct g_array *all = qemu_plugin_get_registers();
	const struct qemu_register *items = (const struct qemu_register *)all->data;
	unsigned int found = 0;

	for (unsigned int which = 0; which < REGISTER_COUNT; which++) {
		for (unsigned int i = 0; i < all->length && !handles[which]; i++)
			if (!strcmp(items[i].name, register_names[which]))
				handles[which] = items[i].handle;
		found += handles[which] != NULL;
	}
	g_array_free(all, 1);
	return found == REGISTER_COUNT;
}

/* ---- calls ---- */

/* Once for each CPU, before it runs. RAM is there only now. */
static void on_cpu(uint64_t id, unsigned int cpu)
{
	(void)id;
	pthread_mutex_lock(&plugin.lock);
	if (cpu >= plugin.config.cpus)
		feed_stop("the machine has more CPUs than it was started with");
	else if (!plugin_registers_find())
		feed_stop("QEMU does not tell the registers that are needed: version 10 or newer does");
	else if (!memory_map(arguments.low))
		feed_stop(
			"the guest's memory is not a memory-backend-memfd: see kvmap judge --print-arguments");
	pthread_mutex_unlock(&plugin.lock);
}

/* kvmap reads the rest where it started QEMU; else the recording has it. */
static void say(void)
{
	if (*plugin.shared->problem)
		fprintf(stderr, "kvmap-plugin: %s\n", plugin.shared->problem);
	if (plugin.is_private)
		fprintf(stderr,
			"kvmap-plugin: %" PRIu64 " findings in %" PRIu64
			" events; kvmap replay %s prints them\n",
			tlb_finding_count(plugin.tlb), tlb_seq(plugin.tlb),
			plugin.record_path ? plugin.record_path : "(no record=FILE)");
}

static void on_end(uint64_t id, void *unused)
{
	struct error error;

	(void)id;
	(void)unused;
	pthread_mutex_lock(&plugin.lock);
	if (plugin.record) {
		event_recorder_end(&plugin.recorder);
		if (event_file_close(plugin.record, plugin.record_path, &error) < 0)
			feed_stop(error.text);
		plugin.record = NULL;
	}
	feed_publish();
	plugin.has_ended = true;
	plugin.shared->ended = 1;
	say();
	pthread_mutex_unlock(&plugin.lock);
}

/* ---- loading ---- */

/* The value of "NAME=VALUE"; NULL: it is another name. */
static const char *value_of(const char *argument, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(argument, name, length) && argument[length] == '=' ? argument + length + 1 : NULL;
}

/* False: `text` is not a number up to `most`. */
static bool number(const char *text, uint64_t most, uint64_t *out)
{
	return number_parse(text, strlen(text), out) == NUMBER_OK && *out <= most;
}

static bool take_argument(const char *argument)
{
	struct tlb_config *config = &plugin.config;
	const char *value;
	uint64_t parsed = 0;
	bool ok = false;

	if ((value = value_of(argument, "mode"))) {
		ok = number(value, MODE_ALL, &parsed);
		plugin.mode = (enum plugin_mode)parsed;
	} else if ((value = value_of(argument, "low"))) {
		ok = number(value, UINT64_MAX, &arguments.low);
	} else if ((value = value_of(argument, "shared"))) {
		ok = number(value, INT32_MAX, &parsed);
		arguments.fd = (int)parsed;
	} else if ((value = value_of(argument, "record"))) {
		ok = *value;
		plugin.record_path = value;
	} else if ((value = value_of(argument, "strict"))) {
		ok = number(value, 1, &parsed);
		config->strict = parsed;
	} else if ((value = value_of(argument, "disbelieve"))) {
		ok = number(value, UINT32_MAX, &parsed);
		config->disbelieve = (uint32_t)parsed;
	} else if ((value = value_of(argument, "seed"))) {
		ok = number(value, UINT16_MAX, &parsed);
		config->phase = (uint16_t)parsed;
	}
	return ok;
}

static bool open_shared(void)
{
	size_t size = sizeof(*plugin.shared);
	void *bytes;

	plugin.is_private = arguments.fd < 0;
	if (plugin.is_private)
		bytes = calloc(1, size);
	else
		bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, arguments.fd, 0);
	if (!bytes || bytes == MAP_FAILED)
		return false;
	plugin.shared = bytes;
	plugin.shared->magic = PLUGIN_SHARED_MAGIC;
	plugin.shared->size = size;
	return true;
}

static int create(struct error *error)
{
	plugin.cpus = calloc(plugin.config.cpus, sizeof(*plugin.cpus));
	plugin.changes = calloc(CHANGES, sizeof(*plugin.changes));
	plugin.user = (struct qemu_per_cpu){ qemu_plugin_scoreboard_new(sizeof(uint64_t)), 0 };
	plugin.fetches = (struct qemu_per_cpu){ qemu_plugin_scoreboard_new(sizeof(uint64_t)), 0 };
	if (!plugin.cpus || !plugin.changes || !open_shared())
		return error_set(error, ERROR_HOST, 0, 0,
				 "out of memory, or shared=FD is no file of kvmap's");
	plugin.config.page = memory_page;
	/* Rules whose events are not there are no findings. */
	if (plugin.mode == MODE_FLUSHES)
		plugin.config.rules = 0;
	if (plugin.mode == MODE_TABLES)
		plugin.config.rules &= TLB_RULE_BIT(TLB_RULE_USER_OWES) | TLB_RULE_BIT(TLB_RULE_TABLE_WRITE);
	if (!plugin.record_path)
		return tlb_create(&plugin.config, &plugin.tlb, error);
	plugin.record = event_file_create(plugin.record_path, error);
	if (!plugin.record ||
	    event_recorder_create(&plugin.recorder, plugin.record, &plugin.config, error) < 0)
		return -1;
	plugin.tlb = plugin.recorder.tlb;
	return 0;
}

/* The first function that this QEMU lacks; NULL: none. */
static const char *missing(void)
{
	if (!qemu_plugin_register_vcpu_tb_exec_cond_cb || !qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu)
		return "conditional callbacks";
	if (!qemu_plugin_get_registers || !qemu_plugin_read_register)
		return "reading registers";
	if (!qemu_plugin_scoreboard_new || !qemu_plugin_u64_get || !qemu_plugin_u64_set)
		return "scoreboards";
	if (!qemu_plugin_insn_data || !qemu_plugin_get_hwaddr || !qemu_plugin_register_vcpu_mem_cb)
		return "callbacks of accesses";
	return NULL;
}

static int refuse(const char *why, const char *what)
{
	fprintf(stderr, "kvmap-plugin: %s%s; QEMU 10 or newer for x86-64 is needed\n", why, what);
	return -1;
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	struct error error;

	if (info->version.current < PLUGIN_API_VERSION || missing())
		return refuse("this QEMU has an older plugin interface, without ",
			      missing() ? missing() : "version 4");
	if (!info->is_system || strcmp(info->target, "x86_64") != 0)
		return refuse("this is not qemu-system-x86_64 but for ", info->target);
	plugin.config = tlb_config_default();
	plugin.config.cpus = (unsigned int)info->system.cpus_max;
	if (info->system.cpus_max < 1 || info->system.cpus_max > PLUGIN_CPUS_MAX)
		return refuse("the machine has more than 64 CPUs", "");
	for (int i = 0; i < argc; i++)
		if (!take_argument(argv[i])) {
			fprintf(stderr, "kvmap-plugin: unknown or wrong argument %s\n", argv[i]);
			return -1;
		}
	if (create(&error) < 0) {
		fprintf(stderr, "kvmap-plugin: %s\n", error.text);
		return -1;
	}
	plugin.shared->began = 1;
	qemu_plugin_register_vcpu_init_cb(id, on_cpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
	return 0;
}
