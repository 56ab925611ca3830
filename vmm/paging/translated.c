/* SPDX-License-Identifier: MIT */
#include "paging/translated.h"

struct comparing {
	const struct view *view;
	struct translated *out;
	uint64_t most;
};

enum compare_stop { COMPARE_CUT_SHORT = 1, COMPARE_FAILED = 2 };

/* KVM knows nothing of the page's size, so the GPA of the byte is compared. 0 or enum compare_stop. */
static int ask(struct comparing *comparing, uint64_t gva, uint64_t gpa)
{
	const struct view *view = comparing->view;
	struct translated *out = comparing->out;
	struct view_translation answer;

	if (out->asked == comparing->most)
		return COMPARE_CUT_SHORT;
	if (view->translate(view->translate_context, 0, gva, &answer) < 0)
		return COMPARE_FAILED;
	out->asked++;
	if (answer.valid && answer.gpa == gpa)
		return 0;
	if (!out->differing++) {
		out->gva = gva;
		out->walk_gpa = gpa;
		out->valid = answer.valid;
		out->kvm_gpa = answer.valid ? answer.gpa : 0;
	}
	return 0;
}

static int ask_run(void *context, const struct walk_run *run)
{
	struct comparing *comparing = context;
	uint64_t last = run->count - 1;
	int stop = ask(comparing, run->gva, walk_leaf_gpa(run->entries[0], run->size));

	if (stop || !last)
		return stop;
	return ask(comparing, run->gva + last * run->size, walk_leaf_gpa(run->entries[last], run->size));
}

int translated_compare(const struct view *view, const struct walk_mode *mode, struct translated *out)
{
	uint64_t most = view->translate_max;
	struct comparing comparing = { view, out, most && most < TRANSLATED_MOST ? most : TRANSLATED_MOST };
	const struct walk_visitor visitor = { .context = &comparing, .run = ask_run };
	int stop;

	*out = (struct translated){ 0 };
	stop = walk_range(view, mode, 0, UINT64_MAX, 0, &visitor);
	if (stop == COMPARE_FAILED)
		return -1;
	out->cut_short = stop != 0;
	return 0;
}
