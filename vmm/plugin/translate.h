/* SPDX-License-Identifier: MIT */
#ifndef VMM_PLUGIN_TRANSLATE_H
#define VMM_PLUGIN_TRANSLATE_H

#include "plugin/qemu_api.h"

/* QEMU has translated a block of the guest's code: says which calls its translation makes. */
void on_translate(uint64_t id, struct qemu_block *block);

#endif
