// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeDetails(): View {
	return {
		mount(root) {
			root.textContent = 'details: not yet';
		},
		update() {},
		help: [],
	};
}
