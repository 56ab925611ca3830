/* SPDX-License-Identifier: MIT */
/*
 * libjson.c: the functions of json-c that this room calls. It is loaded at the first line of JSON.
 */
#include "base/lazy_library.h"

#define FUNCTIONS(X)                                                                                         \
	X(json_object_array_add)                                                                             \
	X(json_object_array_get_idx)                                                                         \
	X(json_object_array_length)                                                                          \
	X(json_object_get)                                                                                   \
	X(json_object_get_object)                                                                            \
	X(json_object_get_string)                                                                            \
	X(json_object_get_type)                                                                              \
	X(json_object_new_array)                                                                             \
	X(json_object_new_boolean)                                                                           \
	X(json_object_new_double)                                                                            \
	X(json_object_new_int)                                                                               \
	X(json_object_new_int64)                                                                             \
	X(json_object_new_object)                                                                            \
	X(json_object_new_string)                                                                            \
	X(json_object_new_uint64)                                                                            \
	X(json_object_object_add)                                                                            \
	X(json_object_object_get_ex)                                                                         \
	X(json_object_put)                                                                                   \
	X(json_object_to_json_string_ext)                                                                    \
	X(json_tokener_free)                                                                                 \
	X(json_tokener_new)                                                                                  \
	X(json_tokener_parse_ex)                                                                             \
	X(json_tokener_reset)

LAZY_LIBRARY("libjson-c.so.5", FUNCTIONS)
