/** The rate limit, its sharing among guests, noisy neighbours, and many guests. */
package org.vhostuserrng.it.limit;
