/* SPDX-License-Identifier: MIT */
#include "script/script.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

Test(images, every_script_that_comes_with_kvmap_compiles)
{
	const char *images = getenv("IMAGES");
	char pattern[4096], context[1024];
	glob_t found;

	cr_assert_not_null(images, "IMAGES names the folder of the scripts");
	snprintf(pattern, sizeof(pattern), "%s/*.kvs", images);
	cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "no scripts in %s", images);
	cr_expect_geq(found.gl_pathc, 6);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct script *script = NULL;
		struct error error;

		cr_expect_eq(script_load(found.gl_pathv[i], &script, context, sizeof(context), &error), 0,
			     "%s\n%s", error.text, context);
		script_destroy(script);
	}
	globfree(&found);
}
