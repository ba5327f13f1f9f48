// Arguments that say more than one thing, read and checked: a plan's rows and update, where images come from. Read by
// bind_plan and bind_arrays.
#pragma once
#include "bind.h"
#include "plan.h"

namespace lenet {

std::string name_of(const Row& row);
// A tuple: the operation's name, the values it takes, then what it needs. graph: the rows before it.
Row row_of(const Graph& graph, nb::handle description);
Update update_of(nb::dict d);
// count: gets the number of images
Source source_of(size_t in_size, MaybeArray<const uint8_t>& bytes, MaybeArray<const float>& lut,
                 MaybeArray<const float>& floats, size_t* count);
void check_indices(const Array<const int64_t>& indices, size_t count);

}  // namespace lenet
