/* SPDX-License-Identifier: MIT */
/*
 * direct_map.h: conversion between guest physical addresses and addresses of the direct map.
 */
#ifndef GUEST_MM_DIRECT_MAP_H
#define GUEST_MM_DIRECT_MAP_H

#include "kvmap/layout.h"
#include "lib/types.h"

static inline void *__va(u64 gpa)
{
	return (void *)(gpa + KVMAP_DIRECT_BASE);
}

static inline u64 __pa(const void *direct_map_address)
{
	return (u64)direct_map_address - KVMAP_DIRECT_BASE;
}

#endif
