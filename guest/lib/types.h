/* SPDX-License-Identifier: MIT */
/*
 * types.h: integer types and helper macros of kernel code.
 */
#ifndef GUEST_LIB_TYPES_H
#define GUEST_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* One access to the whole variable, which other CPUs may access at the same time. No ordering. */
#define READ_ONCE(x)         __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define likely(x)                       __builtin_expect(!!(x), 1)
#define unlikely(x)                     __builtin_expect(!!(x), 0)
#define ALIGN_UP(x, a)                  (((x) + ((a)-1)) & ~((typeof(x))(a)-1))
#define ALIGN_DOWN(x, a)                ((x) & ~((typeof(x))(a)-1))
#define ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))

#endif
