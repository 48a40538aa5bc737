// What the rows of bss_ops.h say beside their loops.
#include "bss_ops.h"

#define NO_PARAMETER \
  {                  \
    { 0 }            \
  }
#define PARAMETER(name, standard, help) \
  {                                     \
    { name, help, standard, false }     \
  }
#define POSITIVE_AND(name, standard, help, name2, standard2, help2)  \
  {                                                                  \
    {name, help, standard, true}, { name2, help2, standard2, false } \
  }
#define WHOLE(y) true
#define FLOATS false

#define UNARY(ID, id, name, formula, parameters, traits, value, slope, whole) \
  {name, formula, parameters, traits, whole, false},
#define TEST(ID, id, name, formula, ...) {name, formula, {{0}}, BSS_READS_NOTHING, false, true},
#define NAMED(ID, id, name, formula, ...) {name, formula, {{0}}, 0, false, false},
#define NAME(ID, id, name, ...) {name, name, {{0}}, 0, false, false},

#define END \
  { "", "", {{0}}, 0, false, false }

static const bss_op_facts unary[] = {BSS_UNARY_OPS(UNARY) BSS_TEST_OPS(TEST) END};
static const bss_op_facts binary[] = {BSS_BINARY_OPS(NAMED) END};
static const bss_op_facts compare[] = {BSS_COMPARE_OPS(NAMED) END};
static const bss_op_facts logical[] = {BSS_LOGICAL_OPS(NAME) END};
static const bss_op_facts reduce[] = {BSS_REDUCE_OPS(NAME) END};

const bss_op_facts *const bss_unary_facts = unary, *const bss_binary_facts = binary,
                          *const bss_compare_facts = compare, *const bss_logical_facts = logical,
                          *const bss_reduce_facts = reduce;
