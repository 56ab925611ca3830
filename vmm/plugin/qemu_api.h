/* SPDX-License-Identifier: MIT */
/*
 * qemu_api.h: the part of QEMU's plugin interface that is used here, version 4 (QEMU 10.0), in our own declarations: the
 * program has these functions, and QEMU's own header is in no package. plugin_missing() says which are not there.
 */
#ifndef VMM_PLUGIN_QEMU_API_H
#define VMM_PLUGIN_QEMU_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_API_VERSION 4
#define PLUGIN_EXPORT      __attribute__((visibility("default")))
/* A function that this QEMU lacks has the address 0. */
#define PLUGIN_IMPORT __attribute__((weak))

/* Glib's arrays, as its documentation has them. */
struct g_array {
	char *data;
	unsigned int length;
};

struct qemu_info {
	const char *target;
	struct {
		int least, current;
	} version; /* of the interface */
	bool is_system;
	struct {
		int cpus, cpus_max;
	} system;
};

/* Descriptor of a register; items of qemu_plugin_get_registers(). */
struct qemu_register {
	void *handle;
	const char *name, *feature;
};

/* A number of each CPU, in memory that translated code reads. */
struct qemu_per_cpu {
	void *board;
	size_t offset;
};

enum qemu_registers { QEMU_NO_REGISTERS, QEMU_READS_REGISTERS };
enum qemu_condition { QEMU_EQUAL = 2, QEMU_NOT_EQUAL = 3 };
enum qemu_inline { QEMU_STORE = 1 };
enum qemu_access { QEMU_LOADS = 1, QEMU_STORES = 2 };

struct qemu_block;
struct qemu_instruction;
struct qemu_address;

typedef void qemu_cpu_call(unsigned int cpu, void *data);
typedef void qemu_access_call(unsigned int cpu, uint32_t access, uint64_t va, void *data);

/* QEMU finds these two by their names. */
PLUGIN_EXPORT extern int qemu_plugin_version;
PLUGIN_EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

PLUGIN_IMPORT void qemu_plugin_register_vcpu_init_cb(uint64_t id,
						     void (*call)(uint64_t id, unsigned int cpu));
PLUGIN_IMPORT void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
							 void (*call)(uint64_t id, struct qemu_block *block));
PLUGIN_IMPORT void qemu_plugin_register_atexit_cb(uint64_t id, void (*call)(uint64_t id, void *data),
						  void *data);

PLUGIN_IMPORT void qemu_plugin_register_vcpu_tb_exec_cond_cb(struct qemu_block *block, qemu_cpu_call *call,
							     int registers, int condition,
							     struct qemu_per_cpu number, uint64_t value,
							     void *data);
PLUGIN_IMPORT void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_block *block, int operation,
								     struct qemu_per_cpu number,
								     uint64_t value);
PLUGIN_IMPORT void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_instruction *instruction,
							  qemu_cpu_call *call, int registers, void *data);
PLUGIN_IMPORT void qemu_plugin_register_vcpu_mem_cb(struct qemu_instruction *instruction,
						    qemu_access_call *call, int registers, int accesses,
						    void *data);

PLUGIN_IMPORT size_t qemu_plugin_tb_n_insns(const struct qemu_block *block);
PLUGIN_IMPORT struct qemu_instruction *qemu_plugin_tb_get_insn(const struct qemu_block *block, size_t index);
PLUGIN_IMPORT size_t qemu_plugin_insn_data(const struct qemu_instruction *instruction, void *out,
					   size_t size);
PLUGIN_IMPORT size_t qemu_plugin_insn_size(const struct qemu_instruction *instruction);
PLUGIN_IMPORT uint64_t qemu_plugin_insn_vaddr(const struct qemu_instruction *instruction);

PLUGIN_IMPORT unsigned int qemu_plugin_mem_size_shift(uint32_t access);
PLUGIN_IMPORT struct qemu_address *qemu_plugin_get_hwaddr(uint32_t access, uint64_t va);
PLUGIN_IMPORT bool qemu_plugin_hwaddr_is_io(const struct qemu_address *address);
PLUGIN_IMPORT uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_address *address);

PLUGIN_IMPORT struct g_array *qemu_plugin_get_registers(void);
PLUGIN_IMPORT int qemu_plugin_read_register(void *handle, struct g_array *out);
PLUGIN_IMPORT void *qemu_plugin_scoreboard_new(size_t size);
PLUGIN_IMPORT uint64_t qemu_plugin_u64_get(struct qemu_per_cpu number, unsigned int cpu);
PLUGIN_IMPORT void qemu_plugin_u64_set(struct qemu_per_cpu number, unsigned int cpu, uint64_t value);

PLUGIN_IMPORT struct g_array *g_byte_array_new(void);
PLUGIN_IMPORT struct g_array *g_byte_array_set_size(struct g_array *array, unsigned int size);
PLUGIN_IMPORT char *g_array_free(struct g_array *array, int with_items);

#endif
