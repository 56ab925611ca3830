/* SPDX-License-Identifier: MIT */
/*
 * locks.h: findings of lib/lock_check.h as failures of operations. Without CHECK_LOCKS there are none.
 */
#ifndef GUEST_AGENT_LOCKS_H
#define GUEST_AGENT_LOCKS_H

#include "agent/operations.h"

#ifdef CHECK_LOCKS

void agent_check_locks(bool on);

/* A finding since the last call, which is reported; else the status. */
u32 lock_status(const struct operation *operation, u32 status);

#else

#define agent_check_locks(on) ((void)0)

static inline u32 lock_status(const struct operation *operation, u32 status)
{
	(void)operation;
	return status;
}

#endif
#endif
