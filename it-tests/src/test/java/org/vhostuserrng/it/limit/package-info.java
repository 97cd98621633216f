/** Tests of the rate limit, of its sharing among guests, of guests that flood the daemon, and of many guests. */
package org.vhostuserrng.it.limit;
