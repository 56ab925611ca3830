/* SPDX-License-Identifier: MIT */
/*
 * libbpf.h: libbpf, which loads the BPF program.
 */
#ifndef VMM_STAGE2_LIBBPF_H
#define VMM_STAGE2_LIBBPF_H

#include "base/error.h"

/* To be called before functions of libbpf. ERROR_HOST: it cannot be loaded. */
int libbpf_load(struct error *error);

#endif
