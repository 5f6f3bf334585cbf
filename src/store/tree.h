// SPDX-License-Identifier: MIT
/*
 * The call tree of a profile: stacks merged by function (or by function and line), with self and
 * total weights, children sorted by name. What flame graphs and tables are drawn from.
 *
 * Node 0 is the root: it stands for all samples and has no function. Nodes are in preorder: the
 * subtree of node i is nodes[i] to nodes[end - 1], and its first child, if any, is i + 1. Stacks
 * without samples make no nodes. With TREE_FUNCTIONS a node also keeps how its total spreads over
 * lines.
 *
 * Siblings are sorted by name, file, first line, kind, then line: the same profile always gives the
 * same tree, in whatever order its samples came.
 */
#ifndef FIREGLASS_STORE_TREE_H
#define FIREGLASS_STORE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "store/profile.h"

#define TREE_ROOT 0
#define TREE_NONE UINT32_MAX

enum tree_granularity {
	TREE_FUNCTIONS, // lines of a function are one node
	TREE_LINES,     // each line is a node of its own
};

enum tree_direction {
	TREE_CALLEES, // roots are where threads begin: the flame graph
	TREE_CALLERS, // roots are where time is spent, children are their callers: inverted
};

struct tree_line {
	uint32_t line;
	uint64_t self, total;
};

struct tree_node {
	uint32_t parent;       // TREE_NONE for the root
	uint32_t first_child;  // TREE_NONE if a leaf
	uint32_t next_sibling; // TREE_NONE if the last
	uint32_t end;          // one past the last node of the subtree
	uint32_t depth;        // root 0
	function_id function;  // of no meaning for the root
	uint32_t line;         // with TREE_LINES, else 0
	uint64_t self, total;
	uint32_t first_tree_line; // into tree.lines, sorted by total, largest first
	uint32_t tree_line_count; // 0 with TREE_LINES
};

struct tree {
	struct tree_node *nodes;
	size_t node_count, node_capacity;
	struct tree_line *lines;
	size_t line_count, line_capacity;
	uint32_t max_depth;
};

/*
 * With TREE_CALLERS, self is the weight of samples in which the node's path is the whole stack, and
 * the tree can have as many nodes as all sampled stacks have frames together.
 */
void tree_build(struct tree *t, const struct profile *p, enum tree_granularity granularity,
	enum tree_direction direction);
void tree_deinit(struct tree *t);

#endif
