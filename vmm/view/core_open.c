/* SPDX-License-Identifier: MIT */
/*
 * core_open.c: opens a core as a view, which owns the file and its mappings.
 */
#include "view/core_file.h"

#include "base/signals.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct core {
	struct view view; /* first: freed as a view */
	int fd;           /* -1: not this view's */
	int mapped;       /* of signals_mapped() */
	struct core_maps maps;
};

static void core_release(struct view *view)
{
	struct core *core = (struct core *)view;

	for (size_t i = 0; i < core->maps.count; i++)
		munmap(core->maps.items[i].address, core->maps.items[i].size);
	free(core->maps.items);
	signals_unmapped(core->mapped);
	if (core->fd >= 0)
		close(core->fd);
}

int core_open(const char *path, struct view **view_out, char **program_out, struct error *error)
{
	struct core *core = calloc(1, sizeof(*core));
	struct core_file file;
	char *program = NULL;

	if (!core)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "%s", path);
	core->fd = core->mapped = -1;
	core->view.release = core_release;
	if (core_file_open(path, &file, error) < 0) {
		view_destroy(&core->view);
		return -1;
	}
	core->mapped = signals_mapped(file.fd, file.size, path);
	if (core_file_notes(&file, &core->view, &program, error) < 0 ||
	    core_file_memory(&file, &core->view, &core->maps, error) < 0) {
		view_destroy(&core->view);
		core_file_close(&file);
		free(program);
		return -1;
	}
	/* The view keeps the descriptor for SEEK_DATA. */
	core->fd = file.fd;
	file.fd = -1;
	core_file_close(&file);
	*view_out = &core->view;
	*program_out = program;
	return 0;
}
