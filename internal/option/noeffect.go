package option

// This file is the part of the table whose members have no effect here: the
// vendor's schema has them, and they are about users, sessions, provisioning or
// the login page of the vendor's own server. They are listed so that a connection from
// there gives no warning about them, and so that each has a line that says whose part
// it is instead: a warning for each would hide the one that matters.

// noEffect lists them by what they are about.
var noEffect = func() (out []Member) {
	add := func(doc string, of []string, names ...string) {
		for _, name := range names {
			out = append(out, Member{Path: name, Class: NoEffect, Doc: doc, Of: of})
		}
	}
	options := func(doc string, of []string, names ...string) {
		for _, name := range names {
			add(doc, of, "options/"+name)
		}
	}
	add("names this schema, for editors", nil, "$schema")
	add("which users find the connection: the host's login page decides", nil, "realms", "is_domain_connection", "show_as_button")
	add("what the host noted down", nil, "metadata")
	add("what the vendor uses the connection for: here it is for login", nil,
		"authentication", "connected_accounts", "cross_app_access_requesting_app", "cross_app_access_resource_app")
	add("setting up at the vendor", nil, "provisioning_ticket", "provisioning_ticket_url", "provisioning")

	options("whether the profile is stored on each login is the host's choice", nil, "set_user_root_attributes", "non_persistent_attrs")
	options("keeping the IdP's tokens is the host's part", nil, "federated_connections_access_tokens")
	options("how long a session lasts is the host's part", nil, "id_token_session_expiry_supported")
	options("values of the connection's scripts, which get them from the host", nil, "configuration")
	options("rate limits and second factors are the host's part", nil, "brute_force_protection", "mfa", "disable_signup", "disable_sign_out")
	options("version of the vendor's own schema", nil, "schema_version")
	options("how often the vendor warns of a certificate", nil, "cert_rollover_notification")

	// Users and groups that the vendor reads from a directory.
	options("reading a directory is the host's part", []string{"google-apps", "waad"},
		"api_enable_users", "api_enable_groups", "ext_groups", "ext_is_suspended", "ext_agreed_terms")
	options("reading a directory is the host's part", googleApps,
		"ext_is_admin", "ext_groups_extended", "admin_access_token", "admin_access_token_expiresin", "admin_refresh_token")
	options("whether scopes may be set in the vendor's dashboard", googleApps, "allow_setting_login_scopes")
	options("users of another connection are the host's part", googleApps, "handle_login_from_social")
	options("the user id is Google's own here, which never changes", googleApps, "map_user_id_to_id")
	options("which directory attributes the vendor stores", waad,
		"ext_access_token", "ext_account_enabled", "ext_admin", "ext_assigned_licenses", "ext_assigned_plans", "ext_azure_id", "ext_city",
		"ext_country", "ext_department", "ext_dir_sync_enabled", "ext_email", "ext_expires_in", "ext_family_name", "ext_fax",
		"ext_given_name", "ext_group_ids", "ext_job_title", "ext_last_sync", "ext_mobile", "ext_name", "ext_nested_groups",
		"ext_nickname", "ext_oid", "ext_phone", "ext_physical_delivery_office_name", "ext_postal_code", "ext_preferred_language",
		"ext_profile", "ext_provisioned_plans", "ext_provisioning_errors", "ext_proxy_addresses", "ext_puid", "ext_refresh_token",
		"ext_roles", "ext_state", "ext_street", "ext_telephoneNumber", "ext_tenantid", "ext_upn", "ext_usage_location", "ext_user_id",
		"max_groups_to_retrieve")
	options("setting up at the vendor", waad, "app_domain", "app_id", "granted", "thumbprints")
	options("audiences of tokens that native applications bring; there is only the code flow here", []string{"google-oauth2"}, "allowed_audiences")

	out = append(out, Member{
		Path: "options/freeform_scopes", Class: NoEffect, Kind: Any, Switch: true,
		Doc: "scopes typed in at the vendor's dashboard; scope has them as well",
	})
	return append(out, switches()...)
}()

// switches are the tick boxes of the vendor's dashboard that put something into
// scope.
func switches() (out []Member) {
	add := func(of []string, names ...string) {
		for _, name := range names {
			out = append(out, Member{
				Path: "options/" + name, Class: NoEffect, Of: of, Switch: true,
				Doc: "a tick box of the vendor's dashboard; what it stands for is in scope",
			})
		}
	}
	add(nil, "email", "profile", "openid", "basic_profile", "offline_access")
	add(apple, "name")
	add([]string{"amazon"}, "postal_code")
	add([]string{"paypal", "paypal-sandbox"}, "address", "phone")
	add([]string{"linkedin"}, "full_profile", "network")
	add([]string{"github"},
		"admin_org", "admin_public_key", "admin_repo_hook", "delete_repo", "follow", "gist", "notifications", "public_repo", "read_org",
		"read_public_key", "read_repo_hook", "read_user", "repo", "repo_deployment", "repo_status", "write_org", "write_public_key",
		"write_repo_hook")
	add([]string{"windowslive"},
		"applications", "applications_create", "birthday", "calendars", "calendars_update", "contacts_birthday", "contacts_calendars",
		"contacts_create", "contacts_photos", "contacts_skydrive", "directory_accessasuser_all", "directory_read_all",
		"directory_readwrite_all", "emails", "events_create", "graph_calendars", "graph_calendars_update", "graph_contacts",
		"graph_contacts_update", "graph_device", "graph_device_command", "graph_emails", "graph_emails_update", "graph_files",
		"graph_files_all", "graph_files_all_update", "graph_files_update", "graph_notes", "graph_notes_create", "graph_notes_update",
		"graph_tasks", "graph_tasks_update", "graph_user", "graph_user_activity", "graph_user_update", "group_read_all",
		"group_readwrite_all", "mail_readwrite_all", "mail_send", "messenger", "phone_numbers", "photos", "postal_addresses",
		"rootsite_sitesfullcontrol_all", "share", "signin", "skydrive", "skydrive_update", "user_read_all", "user_readbasic_all",
		"user_readwrite_all", "work_profile")
	add([]string{"google-oauth2"},
		"adsense_management", "analytics", "blogger", "calendar", "calendar_addons_execute", "calendar_events",
		"calendar_events_readonly", "calendar_settings_readonly", "chrome_web_store", "contacts", "contacts_new",
		"contacts_other_readonly", "contacts_readonly", "content_api_for_shopping", "coordinate", "coordinate_readonly",
		"directory_readonly", "document_list", "drive", "drive_activity", "drive_activity_readonly", "drive_appdata",
		"drive_apps_readonly", "drive_file", "drive_metadata", "drive_metadata_readonly", "drive_photos_readonly", "drive_readonly",
		"drive_scripts", "gmail", "gmail_compose", "gmail_insert", "gmail_labels", "gmail_metadata", "gmail_modify", "gmail_new",
		"gmail_readonly", "gmail_send", "gmail_settings_basic", "gmail_settings_sharing", "google_affiliate_network", "google_books",
		"google_cloud_storage", "google_drive", "google_drive_files", "google_plus", "latitude_best", "latitude_city", "moderator",
		"orkut", "picasa_web", "sites", "tasks", "tasks_readonly", "url_shortener", "webmaster_tools", "youtube",
		"youtube_channelmemberships_creator", "youtube_new", "youtube_readonly", "youtube_upload", "youtubepartner")
	add([]string{"facebook"},
		"ads_management", "ads_read", "allow_context_profile_field", "business_management", "groups_access_member_info",
		"leads_retrieval", "manage_notifications", "manage_pages", "pages_manage_cta", "pages_manage_instant_articles",
		"pages_messaging", "pages_messaging_phone_number", "pages_messaging_subscriptions", "pages_show_list", "public_profile",
		"publish_actions", "publish_pages", "publish_to_groups", "publish_video", "read_audience_network_insights", "read_insights",
		"read_mailbox", "read_page_mailboxes", "read_stream", "user_age_range", "user_birthday", "user_events", "user_friends",
		"user_gender", "user_groups", "user_hometown", "user_likes", "user_link", "user_location", "user_managed_groups",
		"user_photos", "user_posts", "user_status", "user_tagged_places", "user_videos")
	return out
}
