//! Accounts, access keys, roles, sessions and permissions.
//!
//! [`Iam`] holds all of them. A request's access key identifies a [`Credential`], the credential its [`Principal`],
//! and the principal's [`Policy`] which actions it may call. Sessions come from STS (see [`crate::sts`]).

mod policy;
mod role;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::{Mutex, RwLock};
pub use policy::Policy;
pub use role::Role;
use serde::{Deserialize, Serialize};

use crate::{error::AwsError, wire::random_hex};

/// The account of the default access key.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// A permanent access key of an IAM user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessKey {
    /// `AKIA...`
    pub id: String,
    /// The secret.
    pub secret: String,
    /// The account it belongs to.
    pub account: String,
    /// The IAM user it belongs to.
    #[serde(default = "default_user")]
    pub user: String,
}

fn default_user() -> String {
    "kube-glue".to_owned()
}

/// The identity of a caller: an IAM user or a session of a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// The account's id.
    pub account: Arc<str>,
    /// The ARN in `GetCallerIdentity`.
    pub arn: Arc<str>,
    /// The unique id in `GetCallerIdentity`.
    pub id: String,
    /// The session; none for a user.
    pub session: Option<Session>,
}

/// The properties of a session of a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The role's ARN.
    pub role: String,
    /// The session's name.
    pub name: String,
    /// The session tags, with those inherited by role chaining.
    pub tags: Vec<(String, String)>,
    /// The keys of the tags that the next session in a chain inherits.
    pub transitive: Vec<String>,
    /// The source identity. The next session in a chain inherits it.
    pub source_identity: Option<String>,
}

/// A permanent or temporary access key.
#[derive(Debug)]
pub struct Credential {
    /// The access key's id.
    pub id: Arc<str>,
    /// Its secret.
    pub secret: String,
    /// The session token; none for a permanent key.
    pub token: Option<String>,
    /// The principal that the key authenticates.
    pub principal: Arc<Principal>,
    /// When it expires, by the real clock; none for a permanent key.
    pub expires: Option<SystemTime>,
    /// Whether a test expired it early.
    expired: std::sync::atomic::AtomicBool,
    signing_keys: Mutex<HashMap<String, [u8; 32]>>,
}

impl Credential {
    /// Whether it has expired.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.expired.load(std::sync::atomic::Ordering::Relaxed)
            || self.expires.is_some_and(|expires| SystemTime::now() >= expires)
    }

    /// The signing key of a credential scope, derived once.
    pub(crate) fn signing_key(&self, signed: &crate::wire::sigv4::Signed<'_>) -> [u8; 32] {
        let scope = format!("{}/{}/{}", signed.date, signed.region, signed.service);
        *self.signing_keys.lock().entry(scope).or_insert_with(|| signed.signing_key(&self.secret))
    }
}

#[derive(Debug, Default)]
struct Store {
    accounts: Vec<String>,
    credentials: HashMap<String, Arc<Credential>>,
    roles: HashMap<String, Role>,
    policies: HashMap<String, Policy>,
    web_identities: HashMap<String, String>,
    pod_identities: HashMap<String, String>,
    instance_role: Option<String>,
    session_cap: Option<Duration>,
}

/// A handle on the identities of one double.
#[derive(Clone, Debug, Default)]
pub struct Iam(Arc<RwLock<Store>>);

impl Iam {
    /// Adds an account, unless it exists. Adding a key or a role adds its account.
    pub fn define_account(&self, account: &str) {
        let mut store = self.0.write();
        if !store.accounts.iter().any(|known| known == account) {
            store.accounts.push(account.to_owned());
        }
    }

    /// Adds an access key, or replaces the key with this id.
    pub fn define_access_key(&self, key: &AccessKey) {
        self.define_account(&key.account);
        let principal = Principal {
            account: key.account.as_str().into(),
            arn: format!("arn:aws:iam::{}:user/{}", key.account, key.user).into(),
            id: format!("AIDA{}", random_hex(17).to_uppercase()),
            session: None,
        };
        self.insert_credential(&key.id, &key.secret, None, Arc::new(principal), None);
    }

    /// Adds an access key with a random id and secret for a user of an account.
    #[must_use]
    pub fn new_access_key(&self, account: &str, user: &str) -> AccessKey {
        let key = AccessKey {
            id: format!("AKIA{}", random_hex(16).to_uppercase()),
            secret: random_hex(40),
            account: account.to_owned(),
            user: user.to_owned(),
        };
        self.define_access_key(&key);
        key
    }

    /// Deletes a permanent or temporary access key. Requests with it are then refused as unknown.
    pub fn delete_access_key(&self, id: &str) {
        self.0.write().credentials.remove(id);
    }

    /// Adds a role, or replaces the role with this ARN.
    pub fn define_role(&self, role: Role) {
        self.define_account(role.account());
        self.0.write().roles.insert(role.arn.clone(), role);
    }

    /// Deletes a role. Its sessions stay valid.
    pub fn delete_role(&self, arn: &str) {
        self.0.write().roles.remove(arn);
    }

    /// Sets the policy of a user (`arn:aws:iam::<account>:user/<user>`) or a role. Without a policy it may do
    /// everything.
    pub fn set_policy(&self, principal: &str, policy: Policy) {
        self.0.write().policies.insert(principal.to_owned(), policy);
    }

    /// Adds a web identity token with its subject (see [`Role::trusts`]).
    pub fn define_web_identity(&self, token: &str, subject: &str) {
        self.0.write().web_identities.insert(token.to_owned(), subject.to_owned());
    }

    /// Adds an EKS Pod Identity token. The container credentials endpoint answers it with a session of this role.
    pub fn define_pod_identity(&self, token: &str, role: &str) {
        self.0.write().pod_identities.insert(token.to_owned(), role.to_owned());
    }

    /// Sets the instance's role. The instance metadata service answers with sessions of it.
    pub fn define_instance_role(&self, role: &str) {
        self.0.write().instance_role = Some(role.to_owned());
    }

    /// Expires all sessions of a role now, before the `Expiration` that `AssumeRole` returned.
    pub fn expire_sessions(&self, role: &str) {
        for credential in self.0.read().credentials.values() {
            if credential.principal.session.as_ref().is_some_and(|session| session.role == role) {
                credential.expired.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    /// Limits the duration of new sessions (real time), whatever duration is requested, so that renewal can be
    /// tested in seconds.
    pub fn cap_sessions(&self, longest: Option<Duration>) {
        self.0.write().session_cap = longest;
    }

    /// The sessions of a role that have not expired, in no particular order.
    #[must_use]
    pub fn sessions(&self, role: &str) -> Vec<Session> {
        let store = self.0.read();
        let live = store.credentials.values().filter(|credential| !credential.is_expired());
        live.filter_map(|credential| credential.principal.session.clone())
            .filter(|session| session.role == role)
            .collect()
    }

    /// Every value that a client must keep secret: the secrets and tokens of all keys and sessions, and the tokens
    /// that are exchanged for sessions.
    #[must_use]
    pub fn secret_values(&self) -> Vec<String> {
        let store = self.0.read();
        let keys = store.credentials.values();
        let of_keys = keys.flat_map(|key| std::iter::once(key.secret.clone()).chain(key.token.clone()));
        of_keys.chain(store.web_identities.keys().cloned()).chain(store.pod_identities.keys().cloned()).collect()
    }

    pub(crate) fn role(&self, arn: &str) -> Option<Role> {
        self.0.read().roles.get(arn).cloned()
    }

    pub(crate) fn web_identity(&self, token: &str) -> Option<String> {
        self.0.read().web_identities.get(token).cloned()
    }

    pub(crate) fn pod_identity(&self, token: &str) -> Option<String> {
        self.0.read().pod_identities.get(token).cloned()
    }

    pub(crate) fn instance_role(&self) -> Option<String> {
        self.0.read().instance_role.clone()
    }

    pub(crate) fn credential(&self, id: &str) -> Option<Arc<Credential>> {
        self.0.read().credentials.get(id).cloned()
    }

    /// Starts a session: adds a temporary key for a principal.
    pub(crate) fn start_session(&self, principal: Principal, duration: Duration) -> Arc<Credential> {
        let duration = self.0.read().session_cap.map_or(duration, |cap| cap.min(duration));
        let id = format!("ASIA{}", random_hex(16).to_uppercase());
        let token = format!("FwoGZXIvYXdzE{}", random_hex(180));
        let expires = SystemTime::now() + duration;
        self.insert_credential(&id, &random_hex(40), Some(token), Arc::new(principal), Some(expires))
    }

    fn insert_credential(
        &self,
        id: &str,
        secret: &str,
        token: Option<String>,
        principal: Arc<Principal>,
        expires: Option<SystemTime>,
    ) -> Arc<Credential> {
        let credential = Arc::new(Credential {
            id: id.into(),
            secret: secret.to_owned(),
            token,
            principal,
            expires,
            expired: false.into(),
            signing_keys: Mutex::default(),
        });
        self.0.write().credentials.insert(id.to_owned(), credential.clone());
        credential
    }

    /// Checks that a principal may call an action, such as `glue:StartJobRun`, on a resource.
    pub(crate) fn authorize(&self, principal: &Principal, action: &str, resource: &str) -> Result<(), AwsError> {
        let store = self.0.read();
        if store.policies.is_empty() {
            return Ok(());
        }
        let owner = principal.session.as_ref().map_or(&*principal.arn, |session| session.role.as_str());
        match store.policies.get(owner).map_or(Ok(()), |policy| policy.check(action)) {
            Ok(()) => Ok(()),
            Err(because) => Err(AwsError::modelled(
                "AccessDeniedException",
                format!(
                    "User: {} is not authorized to perform: {action} on resource: {resource} because {because}",
                    principal.arn
                ),
            )),
        }
    }
}
