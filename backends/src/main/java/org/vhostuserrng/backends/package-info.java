/** Placeholder. */
package org.vhostuserrng.backends;
