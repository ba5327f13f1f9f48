// What the bindings say when sizes don't fit, one list. The Python side checks what a user gives before, and says it in
// the user's words; these are the last line. Read by the bind_*.cpp files.
#pragma once

namespace lenet::say {

constexpr const char* takes_lanes = "this operation takes lanes";
constexpr const char* buffer_size = "buffer size doesn't match the batch";

// ---- arrays and buffers
constexpr const char* copy_to_sizes = "copy_to: sizes differ";
constexpr const char* copy_from_sizes = "copy_from: sizes differ";
constexpr const char* to_lanes_samples = "to_lanes: the array doesn't hold n samples";
constexpr const char* to_few_samples = "to_few: the array doesn't hold n samples, or too many";
constexpr const char* from_lanes_samples = "from_lanes: the array doesn't hold n samples";
constexpr const char* part_sizes = "a part: features beyond the last";
constexpr const char* gather_sizes = "gather: sizes";

// ---- operations
constexpr const char* conv_sizes = "conv2d: weight or bias size";
constexpr const char* conv_backward_sizes = "conv2d_backward: weight or bias size";
constexpr const char* winner_size = "max_pool2d_backward: winner size";
constexpr const char* two_buffers = "the two buffers differ in size";
constexpr const char* linear_sizes = "linear: weight or bias size";
constexpr const char* linear_backward_sizes = "linear_backward: weight or bias size";
constexpr const char* norm_sizes = "batch_norm: one number a channel";
constexpr const char* targets_labels = "class_targets: one label a sample";
constexpr const char* conv_groups = "a convolution of that shape makes no sense";
constexpr const char* kernel_too_large = "the kernel is larger than the image";
constexpr const char* padding_too_large = "padding must be smaller than the window";
constexpr const char* window_too_large = "the window is larger than the image";

// ---- optimizers
constexpr const char* optimizer_lists = "lists of parameters, gradients and states differ in length";
constexpr const char* optimizer_sizes = "a parameter, its gradient and its states differ in size";

// ---- reading of arguments
constexpr const char* empty_row = "a plan's row of no numbers";
constexpr const char* update_rule = "a plan knows the rules sgd, momentum and adam";
constexpr const char* table_of_bytes = "uint8 images need a table of 256 numbers";
constexpr const char* image_size = "the images don't have the network's size";
constexpr const char* index_outside = "an index lies outside the images";

// ---- plans
constexpr const char* plan_lists = "one flag and gradient a parameter";
constexpr const char* no_rows = "a plan needs a row";
constexpr const char* neighbouring_rows = "neighbouring rows disagree about their size";
constexpr const char* row_fields = "a row says too little";
constexpr const char* row_takes = "a row takes values that aren't there, or too many";
constexpr const char* plan_heads = "a plan's outputs: values that rows make, each once, of their size";
constexpr const char* row_parameter = "a row's parameter has another size";
constexpr const char* gradient_size = "a gradient has another size than its parameter";
constexpr const char* states_lists = "one entry a parameter";
constexpr const char* states_count = "at most two states a parameter";
constexpr const char* state_size = "a state has another size than its parameter";
constexpr const char* averages_list = "one average a parameter";
constexpr const char* average_size = "an average has another size than its parameter";
constexpr const char* infer_logits = "infer: size of the logits";
constexpr const char* backward_gradients = "backward: one gradient a parameter";
constexpr const char* train_heads = "train: one loss and one array an output";
constexpr const char* train_labels = "train: one label an image and cell";
constexpr const char* train_arrays = "train: sizes of the batch arrays";
constexpr const char* train_averaging = "train: one number a step for the average";
constexpr const char* train_weights = "train: one weight a class";
constexpr const char* train_label_outside = "train: a label lies outside the classes";
constexpr const char* train_warped_images = "train: warps need uint8 images and a convolution first";
constexpr const char* train_warps = "train: six numbers a sample";
constexpr const char* train_warp = "train: a warp that is no number, or far too large";

// ---- the random stream
constexpr const char* integers_range = "integers: high must exceed low";
constexpr const char* generator_state = "not a state of this generator";

// ---- the rest
constexpr const char* multiply_add_peak = "multiply_add_peak: seconds or threads";
constexpr const char* copy_peak = "copy_peak: seconds or threads";

}  // namespace lenet::say
