/* SPDX-License-Identifier: MIT */
/*
 * layout.h: names of the guest's root variables and of the members of its structures (guest/mm/mm_types.h,
 * guest/agent/variables.h). Addresses and offsets come from the guest's file.
 */
#ifndef VMM_CLAIMS_LAYOUT_H
#define VMM_CLAIMS_LAYOUT_H

#include "claims/claims.h"
#include "program/types.h"

/* NUMBER: an integer or a pointer, 1 to 8 bytes. OBJECT: anything larger. */
#define CLAIM_ROOTS(NUMBER, OBJECT)                                                                          \
	NUMBER(mem_map)                                                                                      \
	NUMBER(max_pfn)                                                                                      \
	OBJECT(zones)                                                                                        \
	NUMBER(nr_zones)                                                                                     \
	NUMBER(nr_nodes)                                                                                     \
	NUMBER(fresh_is_zero)                                                                                \
	OBJECT(memblock)                                                                                     \
	NUMBER(vmap_area_root)                                                                               \
	NUMBER(free_vmap_area_root)                                                                          \
	NUMBER(vmap_highest)                                                                                 \
	NUMBER(held_pages)                                                                                   \
	OBJECT(kmem_caches)                                                                                  \
	NUMBER(nr_kmem_caches)                                                                               \
	NUMBER(slab_debug)                                                                                   \
	OBJECT(cpu_caches)                                                                                   \
	NUMBER(tlb_gen)                                                                                      \
	OBJECT(tlb_flush_log)                                                                                \
	OBJECT(tlb_stats)                                                                                    \
	OBJECT(cpus)                                                                                         \
	NUMBER(arch_nr_cpus)                                                                                 \
	NUMBER(vmalloc_policy)                                                                               \
	OBJECT(agent)                                                                                        \
	OBJECT(agent_variables)                                                                              \
	NUMBER(agent_nr_variables)                                                                           \
	OBJECT(agent_inside)                                                                                 \
	OBJECT(agent_opcode)

/*
 * TYPE: a structure, followed by its members. NUMBER: a member of 1, 2, 4 or 8 bytes. OBJECT: a member that
 * is a structure or an array.
 */
#define CLAIM_TYPES(TYPE, NUMBER, OBJECT)                                                                    \
	TYPE(page)                                                                                           \
	NUMBER(page, owner)                                                                                  \
	NUMBER(page, order)                                                                                  \
	NUMBER(page, cache)                                                                                  \
	NUMBER(page, next)                                                                                   \
	NUMBER(page, prev)                                                                                   \
	NUMBER(page, unmapped)                                                                               \
	NUMBER(page, allocated)                                                                              \
	NUMBER(page, vpn)                                                                                    \
	NUMBER(page, nr_objects)                                                                             \
	NUMBER(page, freelist)                                                                               \
	NUMBER(page, requested)                                                                              \
	TYPE(free_area)                                                                                      \
	NUMBER(free_area, first)                                                                             \
	NUMBER(free_area, nr_free)                                                                           \
	TYPE(zone)                                                                                           \
	NUMBER(zone, start_pfn)                                                                              \
	NUMBER(zone, end_pfn)                                                                                \
	NUMBER(zone, fresh_start)                                                                            \
	NUMBER(zone, fresh_end)                                                                              \
	NUMBER(zone, kind)                                                                                   \
	NUMBER(zone, numa_node)                                                                              \
	NUMBER(zone, free_pages)                                                                             \
	OBJECT(zone, free_area)                                                                              \
	TYPE(memblock_region)                                                                                \
	NUMBER(memblock_region, base)                                                                        \
	NUMBER(memblock_region, size)                                                                        \
	NUMBER(memblock_region, kind)                                                                        \
	TYPE(memblock)                                                                                       \
	NUMBER(memblock, nr_memory)                                                                          \
	NUMBER(memblock, nr_reserved)                                                                        \
	OBJECT(memblock, memory)                                                                             \
	OBJECT(memblock, reserved)                                                                           \
	TYPE(kmem_list)                                                                                      \
	NUMBER(kmem_list, free)                                                                              \
	NUMBER(kmem_list, nr)                                                                                \
	TYPE(kmem_cache)                                                                                     \
	NUMBER(kmem_cache, name)                                                                             \
	NUMBER(kmem_cache, object_size)                                                                      \
	NUMBER(kmem_cache, order)                                                                            \
	NUMBER(kmem_cache, link)                                                                             \
	NUMBER(kmem_cache, slack)                                                                            \
	NUMBER(kmem_cache, partial)                                                                          \
	NUMBER(kmem_cache, full)                                                                             \
	NUMBER(kmem_cache, nr_slabs)                                                                         \
	NUMBER(kmem_cache, nr_partial)                                                                       \
	NUMBER(kmem_cache, nr_empty)                                                                         \
	TYPE(cpu_cache)                                                                                      \
	OBJECT(cpu_cache, objects)                                                                           \
	OBJECT(cpu_cache, pcp)                                                                               \
	OBJECT(cpu_cache, pcp_zero)                                                                          \
	OBJECT(cpu_cache, cached)                                                                            \
	OBJECT(cpu_cache, cached_blocks)                                                                     \
	OBJECT(cpu_cache, lazy)                                                                              \
	OBJECT(cpu_cache, vm_stat)                                                                           \
	NUMBER(cpu_cache, buddy_blocks_sum)                                                                  \
	NUMBER(cpu_cache, kmalloc_sum)                                                                       \
	OBJECT(cpu_cache, stats)                                                                             \
	TYPE(per_cpu_pages)                                                                                  \
	NUMBER(per_cpu_pages, first)                                                                         \
	NUMBER(per_cpu_pages, nr)                                                                            \
	TYPE(vmap_cached)                                                                                    \
	NUMBER(vmap_cached, first)                                                                           \
	NUMBER(vmap_cached, nr)                                                                              \
	TYPE(vmap_lazy)                                                                                      \
	NUMBER(vmap_lazy, purge_list)                                                                        \
	NUMBER(vmap_lazy, flushed_list)                                                                      \
	NUMBER(vmap_lazy, areas)                                                                             \
	NUMBER(vmap_lazy, pages)                                                                             \
	NUMBER(vmap_lazy, deferred)                                                                          \
	TYPE(vm_struct)                                                                                      \
	NUMBER(vm_struct, addr)                                                                              \
	NUMBER(vm_struct, size)                                                                              \
	NUMBER(vm_struct, requested_size)                                                                    \
	NUMBER(vm_struct, flags)                                                                             \
	NUMBER(vm_struct, gfp)                                                                               \
	NUMBER(vm_struct, pages)                                                                             \
	NUMBER(vm_struct, nr_pages)                                                                          \
	NUMBER(vm_struct, caller)                                                                            \
	NUMBER(vm_struct, frames_sum)                                                                        \
	TYPE(vmap_area)                                                                                      \
	NUMBER(vmap_area, va_start)                                                                          \
	NUMBER(vmap_area, va_end)                                                                            \
	OBJECT(vmap_area, rb_node)                                                                           \
	NUMBER(vmap_area, subtree_max_size)                                                                  \
	NUMBER(vmap_area, vmap_block)                                                                        \
	NUMBER(vmap_area, vm)                                                                                \
	NUMBER(vmap_area, next)                                                                              \
	NUMBER(vmap_area, unmapped)                                                                          \
	NUMBER(vmap_area, allocated)                                                                         \
	NUMBER(vmap_area, state)                                                                             \
	NUMBER(vmap_area, lead)                                                                              \
	TYPE(vmap_block)                                                                                     \
	NUMBER(vmap_block, va)                                                                               \
	NUMBER(vmap_block, va_start)                                                                         \
	NUMBER(vmap_block, dirty)                                                                            \
	NUMBER(vmap_block, used)                                                                             \
	NUMBER(vmap_block, nr)                                                                               \
	TYPE(vmap_block_map)                                                                                 \
	NUMBER(vmap_block_map, frames_sum)                                                                   \
	NUMBER(vmap_block_map, caller)                                                                       \
	NUMBER(vmap_block_map, nr_pages)                                                                     \
	NUMBER(vmap_block_map, allocated)                                                                    \
	NUMBER(vmap_block_map, unmapped)                                                                     \
	NUMBER(vmap_block_map, state)                                                                        \
	TYPE(rb_node)                                                                                        \
	NUMBER(rb_node, __rb_parent_color)                                                                   \
	NUMBER(rb_node, rb_right)                                                                            \
	NUMBER(rb_node, rb_left)                                                                             \
	TYPE(tlb_flush)                                                                                      \
	NUMBER(tlb_flush, stamp)                                                                             \
	NUMBER(tlb_flush, cpu)                                                                               \
	NUMBER(tlb_flush, begun)                                                                             \
	NUMBER(tlb_flush, start)                                                                             \
	NUMBER(tlb_flush, end)                                                                               \
	TYPE(tlb_stats)                                                                                      \
	NUMBER(tlb_stats, rounds)                                                                            \
	NUMBER(tlb_stats, ipis)                                                                              \
	NUMBER(tlb_stats, idle_skipped)                                                                      \
	TYPE(cpu)                                                                                            \
	NUMBER(cpu, state)                                                                                   \
	TYPE(vmalloc_stats)                                                                                  \
	KVMAP_VMALLOC_STATS(NUMBER, vmalloc_stats)                                                           \
	TYPE(agent)                                                                                          \
	NUMBER(agent, record)                                                                                \
	TYPE(agent_variable)                                                                                 \
	NUMBER(agent_variable, address)                                                                      \
	NUMBER(agent_variable, size)                                                                         \
	NUMBER(agent_variable, filled)                                                                       \
	NUMBER(agent_variable, fill_seed)                                                                    \
	NUMBER(agent_variable, zero_start)                                                                   \
	NUMBER(agent_variable, zero_end)                                                                     \
	NUMBER(agent_variable, state)                                                                        \
	NUMBER(agent_variable, contents)                                                                     \
	NUMBER(agent_variable, write_address)                                                                \
	NUMBER(agent_variable, write_value)                                                                  \
	NUMBER(agent_variable, write_words)                                                                  \
	NUMBER(agent_variable, slack_written)

/* clang-format off */
#define CLAIM_ROOT_ENUM(name) ROOT_##name,
enum claim_root { CLAIM_ROOTS(CLAIM_ROOT_ENUM, CLAIM_ROOT_ENUM) CLAIM_ROOT_COUNT };

#define CLAIM_TYPE_ENUM(structure) TYPE_##structure,
#define CLAIM_MEMBER_ENUM(structure, member) MEMBER_##structure##_##member,
enum claim_type { CLAIM_TYPES(CLAIM_TYPE_ENUM, CLAIM_MEMBER_ENUM, CLAIM_MEMBER_ENUM) CLAIM_TYPE_COUNT };
/* clang-format on */

/* Upper bound on the size of a structure; claims_layout_open checks it. */
#define CLAIM_STRUCTURE_MAX 2048

struct claim_root_location {
	uint64_t gva;
	uint64_t size;
};

struct claims_layout {
	struct claim_root_location roots[CLAIM_ROOT_COUNT];
	struct type_member types[CLAIM_TYPE_COUNT]; /* structures (offset 0) and members */
};

const char *layout_root_name(enum claim_root root);

/* Checks all sizes that the readers rely on, as claims_layout_open() does. 0, or -1 and an error that names `file`. */
int layout_check(const struct claims_layout *layout, const char *file, struct error *error);

/* Bytes of one `structure`. */
static inline uint32_t layout_size(const struct claims_layout *layout, enum claim_type structure)
{
	return layout->types[structure].size;
}

/*
 * Number of `structure`s in an array of `size` bytes. claims_layout_open has checked that the host's copy of
 * the array, if it has one, is as large.
 */
static inline uint32_t layout_elements(const struct claims_layout *layout, enum claim_type structure,
				       uint64_t size)
{
	return (uint32_t)(size / layout_size(layout, structure));
}

/* A number of 1, 2, 4 or 8 bytes, zero-extended. */
uint64_t layout_number(const uint8_t *bytes, uint32_t size);

/* The member's value in a copy of its structure. */
static inline uint64_t layout_value(const struct claims_layout *layout, enum claim_type member,
				    const uint8_t *copy)
{
	return layout_number(copy + layout->types[member].offset, layout->types[member].size);
}

#endif
