/** Placeholder. */
package org.vhostuserrng.daemon;
