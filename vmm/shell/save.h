/* SPDX-License-Identifier: MIT */
/*
 * save.h: what was typed as a script.
 */
#ifndef VMM_SHELL_SAVE_H
#define VMM_SHELL_SAVE_H

#include "session/session.h"

/* Writes a new file, a script that runs what the session ran on a machine like its own. ERROR_INPUT: there is one. */
int save_script(const char *path, const struct session_config *config, struct error *error);

#endif
