/* SPDX-License-Identifier: MIT */
/*
 * layout.h: where the sections of a module lie.
 */
#ifndef VMM_MODULE_LAYOUT_H
#define VMM_MODULE_LAYOUT_H

#include "module/object.h"

/* Sets the offsets of sections and parts, and the span. Fails if the module is larger than MODULE_SIZE_MAX. */
int module_layout(struct module_object *object, struct error *error);

#endif
