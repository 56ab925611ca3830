/* SPDX-License-Identifier: MIT */
/*
 * core_open.c: a core becomes a view, which owns its file and mappings.
 */
#include "view/core_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct core_backend {
	int fd;
	unsigned int map_count;
	struct core_map maps[VIEW_REGIONS_MAX];
};

static void core_release(struct view *view)
{
	struct core_backend *backend = view->backend;

	for (unsigned int i = 0; i < backend->map_count; i++)
		munmap(backend->maps[i].address, backend->maps[i].size);
	if (backend->fd >= 0)
		close(backend->fd);
	free(backend);
}

static struct view *core_view_new(void)
{
	struct view *view = calloc(1, sizeof(*view));
	struct core_backend *backend = calloc(1, sizeof(*backend));

	if (!view || !backend) {
		free(view);
		free(backend);
		return NULL;
	}
	backend->fd = -1;
	view->backend = backend;
	view->release = core_release;
	return view;
}

int core_open(const char *path, struct view **view_out, char **program_out, struct error *error)
{
	struct core_backend *backend;
	struct core_file file;
	struct view *view;
	char *program = NULL;

	if (core_file_open(path, &file, error) < 0)
		return -1;
	view = core_view_new();
	if (!view) {
		core_file_close(&file);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "%s", path);
	}
	backend = view->backend;
	if (core_file_notes(&file, view, &program, error) < 0 ||
	    core_file_memory(&file, view, backend->maps, &backend->map_count, error) < 0) {
		core_file_close(&file);
		view_destroy(view);
		free(program);
		return -1;
	}
	/* The view asks the file where its data are. */
	backend->fd = file.fd;
	file.fd = -1;
	core_file_close(&file);
	*view_out = view;
	*program_out = program;
	return 0;
}
