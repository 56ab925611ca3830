/* SPDX-License-Identifier: MIT */
/*
 * signals.h: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGXCPU, SIGUSR1 and SIGUSR2 end the process in one
 * way: files that it made for the time of its work are removed, and the process dies of the signal itself. A run
 * defers the first one, so that it can report what it has. Also SIGBUS of a mapped file that became shorter.
 *
 * The state is of the whole process. All functions but signals_received() belong to one thread; other threads
 * block these signals.
 */
#ifndef VMM_BASE_SIGNALS_H
#define VMM_BASE_SIGNALS_H

#include <stdint.h>

/*
 * Installs the handlers. A signal that the parent process ignores (nohup) stays ignored. A file that exceeds
 * the limit of RLIMIT_FSIZE fails with EFBIG instead of killing the process. shortened(name) is called in the
 * handler after an access to a file that became shorter (signals_mapped()), and must end the process.
 */
void signals_begin(void (*shortened)(const char *name));

/*
 * The first signal from now on is only noted, and calls wake(context) in the handler, where wake must be
 * async-signal-safe. The second one ends the process. wake NULL: nothing is called.
 */
void signals_defer(void (*wake)(void *context), void *context);

/*
 * Until signals_defer(), a signal calls early(its name) in the handler before the process dies. early must be
 * async-signal-safe.
 */
void signals_early(void (*early)(const char *name));

/* The signal that was noted; 0: none. */
int signals_received(void);

/* The signal that was noted is forgotten: the next one is only noted, too. */
void signals_forget(void);

/* "SIGTERM" ... */
const char *signals_name(int number);

/* Dies of the signal that was noted, if there is one. */
void signals_die(void);

/*
 * The file is removed when a signal ends the process. `name` is copied; it is relative to the descriptor
 * `folder` (AT_FDCWD is allowed), which must stay open. The index is for signals_file_keep(); -1: no room.
 */
int signals_file_remove(int folder, const char *name);

/*
 * Creates and opens a file, with mode 0600, that is removed as above. Its descriptor, or -1 with errno (EEXIST:
 * there is one); *index_out as above.
 */
int signals_file_create(int folder, const char *name, int *index_out);

/* The file is no longer removed. -1 is allowed. */
void signals_file_keep(int index);

/*
 * A file that is mapped, of `size` bytes. An access after it became shorter ends the process (signals_begin()).
 * `name` is escaped for that. Returns an index for signals_unmapped(); -1: no room.
 */
int signals_mapped(int fd, uint64_t size, const char *name);
void signals_unmapped(int index);

#endif
