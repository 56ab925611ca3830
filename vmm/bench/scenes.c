/* SPDX-License-Identifier: MIT */
/*
 * scenes.c: what can be measured, and what of it is selected.
 */
#include "base/escape.h"
#include "base/spelling.h"
#include "base/strbuf.h"
#include "bench/internal.h"
#include "script/names.h"

#include <string.h>

const struct scene scenes[SCENES] = {
	{ NULL, "kmalloc", NULL, "" },
	{ NULL, "vmalloc", NULL, "" },
	{ NULL, "vzalloc", NULL, "" },
	{ NULL, "kvmalloc", NULL, "" },
	{ NULL, "vmalloc_huge", NULL, "" },
	{ NULL, "vm_map_ram", NULL, "" },
	{ NULL, "vmap", NULL, "" },
	{ NULL, "alloc_page", "alloc_pages", "" },
	{ NULL, "alloc_pages_o9", "alloc_pages", "" },
	/* All memory has been used: a frame that must be zero is cleared, as Linux does each time. */
	{ "vzalloc_used", "vzalloc", "vzalloc", "fragment 0% of 64G\n" },
	{ NULL, "vmalloc_busy15k", "vmalloc", "areas 15000 4K\n" },
	{ NULL, "vmalloc_holes7k", "vmalloc", "areas 14000 4K holes\n" },
	/* Linux's figures of these are those of memory that is not fragmented. */
	{ "vmalloc_frag10", "vmalloc", "vmalloc", "fragment 10% of 128M\n", "4K 64K 1M" },
	{ "vmalloc_frag50", "vmalloc", "vmalloc", "fragment 50% of 128M\n", "4K 64K 1M" },
	{ "vmalloc_frag90", "vmalloc", "vmalloc", "fragment 90% of 128M\n", "4K 64K 1M" },
	{ "vmalloc_frag99", "vmalloc", "vmalloc", "fragment 99% of 128M\n", "4K 64K 1M" },
	{ "vmalloc_holes10k", "vmalloc", "vmalloc", "areas 20000 4K holes\n", "4K 64K 1M" },
	{ "vmalloc_holes200k", "vmalloc", "vmalloc", "areas 400000 4K holes\n", "4K 64K 1M" },
	/* Each area is freed as in an interrupt, and another one of a page is made and freed. */
	{ "vfree_atomic", "vmalloc", "vfree_atomic", "", "4K 64K 1M 16M" },
	{ "vfree_irq_frag10", "vmalloc", "vfree_atomic", "fragment 10% of 128M\n", "4K 64K 1M" },
	{ "vfree_irq_frag50", "vmalloc", "vfree_atomic", "fragment 50% of 128M\n", "4K 64K 1M" },
	{ "vfree_irq_frag90", "vmalloc", "vfree_atomic", "fragment 90% of 128M\n", "4K 64K 1M" },
	{ "vfree_irq_frag99", "vmalloc", "vfree_atomic", "fragment 99% of 128M\n", "4K 64K 1M" },
	/* Each area is freed, and after every 63 everything that waits is flushed. */
	{ "vm_unmap_aliases", "vmalloc", "vm_unmap_aliases", "areas 8180 4K holes\n", "4K 64K 1M" },
};

/* Whether a list of words that spaces separate, NULL: of all there are, has the word. */
static bool list_has(const char *list, const char *word)
{
	size_t length = strlen(word);

	if (!list)
		return true;
	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t end = strcspn(at, " ");

		if (end == length && !strncmp(at, word, length))
			return true;
		at += end;
	}
	return false;
}

const char *scene_function(const struct scene *scene, const struct linux_figure *figure)
{
	const char *function = scene->function ? scene->function : figure->operation;

	if (strcmp(scene->figure, figure->operation) != 0 || !list_has(scene->sizes, figure->size))
		return NULL;
	return name_find(function_names, function, strlen(function)) ? function : NULL;
}

const char *scene_row_name(const struct scene *scene, const struct linux_figure *figure)
{
	return scene->operation ? scene->operation : figure->operation;
}

/* Whether the word of a selection means it: "vmalloc" all sizes, "vmalloc:4K" one. */
static bool word_selects(const char *word, const char *operation, const char *size)
{
	size_t length = strlen(operation);

	if (strncmp(word, operation, length) != 0)
		return false;
	return !word[length] || (word[length] == ':' && !strcmp(word + length + 1, size));
}

bool selection_has(const struct bench_config *config, const char *operation, const char *size)
{
	for (size_t i = 0; i < config->selected_count; i++)
		if (word_selects(config->selected[i], operation, size))
			return true;
	return !config->selected_count;
}

/* Whether a scene measures the figure, and `word` selects that row. NULL: every word does. */
static bool is_measured(const struct linux_figure *figure, const char *word)
{
	for (size_t i = 0; i < SCENES; i++)
		if (scene_function(&scenes[i], figure) &&
		    (!word || word_selects(word, scene_row_name(&scenes[i], figure), figure->size)))
			return true;
	return false;
}

static bool is_known(const char *word, const struct linux_figures *figures)
{
	if (!strcmp(word, "live") || !strcmp(word, "flushes") || !strcmp(word, "cpus"))
		return true;
	for (size_t i = 0; i < figures->count; i++)
		if (is_measured(&figures->items[i], word))
			return true;
	return false;
}

/* The sizes of the operation at the start of `word`, before ':'; "" if nothing has that name. Returns out. */
static const char *sizes_of(const char *word, const struct linux_figures *figures, char *out, size_t size)
{
	size_t length = strcspn(word, ":");
	struct strbuf list = strbuf_of(out, size);

	for (size_t i = 0; i < SCENES; i++)
		for (size_t j = 0; j < figures->count; j++) {
			const struct linux_figure *figure = &figures->items[j];
			const char *name = scene_row_name(&scenes[i], figure);

			if (scene_function(&scenes[i], figure) && strlen(name) == length &&
			    !memcmp(name, word, length))
				strbuf_add_item(&list, ", ", "%s", figure->size);
		}
	return out;
}

/* The name that is nearest to that of `word`, before ':'; NULL if none is. */
static const char *nearest_name(const char *word, const struct linux_figures *figures)
{
	static const char *const others[] = { "live", "flushes", "cpus" };
	size_t length = strcspn(word, ":"), best = spelling_tolerance(length) + 1, distance;
	const char *nearest = NULL;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		distance = spelling_distance(word, length, others[i]);
		if (distance < best) {
			best = distance;
			nearest = others[i];
		}
	}
	for (size_t i = 0; i < figures->count; i++)
		for (size_t j = 0; j < SCENES; j++) {
			const char *name = scene_row_name(&scenes[j], &figures->items[i]);

			if (!scene_function(&scenes[j], &figures->items[i]))
				continue;
			distance = spelling_distance(word, length, name);
			if (distance < best) {
				best = distance;
				nearest = name;
			}
		}
	return nearest;
}

static int unknown_word(const char *word, const struct linux_figures *figures, struct error *error)
{
	const char *nearest;
	char escaped[100], sizes[300];

	text_escape(word, strlen(word), escaped, sizeof(escaped));
	sizes_of(word, figures, sizes, sizeof(sizes));
	if (*sizes)
		return error_set(error, ERROR_INPUT, 0, 0, "`%s`: Linux's figures of it are of the sizes %s",
				 escaped, sizes);
	nearest = nearest_name(word, figures);
	if (nearest)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "nothing to measure is called `%s`; did you mean `%s`?", escaped, nearest);
	return error_set(error, ERROR_INPUT, 0, 0,
			 "nothing to measure is called `%s`: it is an operation (vmalloc), an "
			 "operation and a size that Linux's figures have (vmalloc:4K), live, flushes or cpus",
			 escaped);
}

int selection_check(const struct bench_config *config, const struct linux_figures *figures,
		    struct error *error)
{
	for (size_t i = 0; i < config->selected_count; i++)
		if (!is_known(config->selected[i], figures))
			return unknown_word(config->selected[i], figures, error);
	return 0;
}

void missing_functions(const struct linux_figures *figures, char *out, size_t size)
{
	struct strbuf list = strbuf_of(out, size);
	const char *last = "";

	for (size_t i = 0; i < figures->count; i++) {
		const struct linux_figure *figure = &figures->items[i];

		if (is_measured(figure, NULL) || !strcmp(last, figure->operation))
			continue;
		strbuf_add_item(&list, ", ", "%s", figure->operation);
		last = figure->operation;
	}
}
