/** Reads configuration files: converts TOML to keys with their files and lines. Does not know the options. */
package org.vhostuserrng.daemon.config;
