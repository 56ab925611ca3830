/* SPDX-License-Identifier: MIT */
/*
 * hooks.c: the functions that code compiled with -fsanitize=thread calls at each access to memory, here places
 * where the CPU may be switched. ThreadSanitizer's own library is not linked.
 */
#include "schedule.h"

#include <string.h>

/* Mean number of such places from one switch to the next. */
#define ATOMICS  4
#define ACCESSES 200

#define ACCESS(name)                                                                                         \
	void __tsan_##name(void *address);                                                                   \
	void __tsan_##name(void *address)                                                                    \
	{                                                                                                    \
		(void)address;                                                                               \
		schedule_point(ACCESSES);                                                                    \
	}
#define ACCESSES_OF(size)                                                                                    \
	ACCESS(read##size)                                                                                   \
	ACCESS(write##size)                                                                                  \
	ACCESS(unaligned_read##size)                                                                         \
	ACCESS(unaligned_write##size)                                                                        \
	ACCESS(read_write##size)                                                                             \
	ACCESS(volatile_read##size)                                                                          \
	ACCESS(volatile_write##size)
ACCESSES_OF(1)
ACCESSES_OF(2)
ACCESSES_OF(4)
ACCESSES_OF(8)
ACCESSES_OF(16)

void __tsan_read_range(void *address, unsigned long size);
void __tsan_read_range(void *address, unsigned long size)
{
	(void)address;
	(void)size;
	schedule_point(ACCESSES);
}

void __tsan_write_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size)
{
	__tsan_read_range(address, size);
}

#define NOTHING(name, ...)                                                                                   \
	void __tsan_##name(__VA_ARGS__);                                                                     \
	void __tsan_##name(__VA_ARGS__)                                                                      \
	{                                                                                                    \
	}
NOTHING(init, void)
NOTHING(func_entry, void *caller __attribute__((unused)))
NOTHING(func_exit, void)

/* clang's */
#define COPY(name, second)                                                                                   \
	void *__tsan_##name(void *to, second, unsigned long size);                                           \
	void *__tsan_##name(void *to, second, unsigned long size)                                            \
	{                                                                                                    \
		schedule_point(ACCESSES);                                                                    \
		return name(to, from, size);                                                                 \
	}
COPY(memcpy, const void *from)
COPY(memmove, const void *from)
COPY(memset, int from)

/* All are sequentially consistent, on one thread. */
#define ATOMIC_RMW(bits, name, operation)                                                                    \
	u##bits __tsan_atomic##bits##_##name(volatile u##bits *at, u##bits value, int order);                \
	u##bits __tsan_atomic##bits##_##name(volatile u##bits *at, u##bits value, int order)                 \
	{                                                                                                    \
		u##bits old;                                                                                 \
                                                                                                             \
		(void)order;                                                                                 \
		schedule_point(ATOMICS);                                                                     \
		old = *at;                                                                                   \
		*at = (u##bits)(operation);                                                                  \
		return old;                                                                                  \
	}
#define ATOMIC_CAS(bits, name)                                                                               \
	int __tsan_atomic##bits##_##name(volatile u##bits *at, u##bits *expected, u##bits value, int order,  \
					 int failed);                                                        \
	int __tsan_atomic##bits##_##name(volatile u##bits *at, u##bits *expected, u##bits value, int order,  \
					 int failed)                                                         \
	{                                                                                                    \
		u##bits old;                                                                                 \
                                                                                                             \
		(void)order;                                                                                 \
		(void)failed;                                                                                \
		schedule_point(ATOMICS);                                                                     \
		old = *at;                                                                                   \
		if (old == *expected) {                                                                      \
			*at = value;                                                                         \
			return 1;                                                                            \
		}                                                                                            \
		*expected = old;                                                                             \
		return 0;                                                                                    \
	}
/* clang's */
#define ATOMIC_CAS_VAL(bits)                                                                                 \
	u##bits __tsan_atomic##bits##_compare_exchange_val(volatile u##bits *at, u##bits expected,           \
							   u##bits value, int order, int failed);            \
	u##bits __tsan_atomic##bits##_compare_exchange_val(volatile u##bits *at, u##bits expected,           \
							   u##bits value, int order, int failed)             \
	{                                                                                                    \
		__tsan_atomic##bits##_compare_exchange_strong(at, &expected, value, order, failed);          \
		return expected;                                                                             \
	}
#define ATOMICS_OF(bits)                                                                                     \
	u##bits __tsan_atomic##bits##_load(const volatile u##bits *at, int order);                           \
	u##bits __tsan_atomic##bits##_load(const volatile u##bits *at, int order)                            \
	{                                                                                                    \
		(void)order;                                                                                 \
		schedule_point(ATOMICS);                                                                     \
		return *at;                                                                                  \
	}                                                                                                    \
	void __tsan_atomic##bits##_store(volatile u##bits *at, u##bits value, int order);                    \
	void __tsan_atomic##bits##_store(volatile u##bits *at, u##bits value, int order)                     \
	{                                                                                                    \
		(void)order;                                                                                 \
		schedule_point(ATOMICS);                                                                     \
		*at = value;                                                                                 \
	}                                                                                                    \
	ATOMIC_RMW(bits, exchange, value)                                                                    \
	ATOMIC_RMW(bits, fetch_add, old + value)                                                             \
	ATOMIC_RMW(bits, fetch_sub, old - value)                                                             \
	ATOMIC_RMW(bits, fetch_and, old &value)                                                              \
	ATOMIC_RMW(bits, fetch_or, old | value)                                                              \
	ATOMIC_RMW(bits, fetch_xor, old ^ value)                                                             \
	ATOMIC_CAS(bits, compare_exchange_strong)                                                            \
	ATOMIC_CAS(bits, compare_exchange_weak)                                                              \
	ATOMIC_CAS_VAL(bits)
ATOMICS_OF(8)
ATOMICS_OF(16)
ATOMICS_OF(32)
ATOMICS_OF(64)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	(void)order;
	schedule_point(ATOMICS);
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
	(void)order;
}
